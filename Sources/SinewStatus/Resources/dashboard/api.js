// Asking the broker. Every failure becomes an Error whose message a person can act on.

/** The JSON of a GET. Throws an Error with `status` (0: no answer). */
export async function get(path) {
    return (await ask(path, {})).json();
}

/** A POST or GET as the operator; resolves to nothing. */
export async function asOperator(method, path, token) {
    await ask(path, { method, headers: { Authorization: `Bearer ${token}` } });
}

async function ask(path, options) {
    let response;
    try {
        response = await fetch(path, { cache: "no-store", ...options });
    } catch {
        throw failure("the broker does not answer", 0);
    }
    if (response.ok) return response;
    let message = `the broker answered ${response.status}`;
    try {
        message = (await response.json()).error.message;
    } catch {
        // Not from our API (a proxy, perhaps): the status has to do.
    }
    throw failure(message, response.status);
}

function failure(message, status) {
    const error = new Error(message);
    error.status = status;
    return error;
}
