// Building and updating the page. Text reaches it as text nodes only: names and labels are strangers'.

/** An element with attributes (`null` and `false` leave one out) and children (strings become text). */
export function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false) continue;
        node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children);
    return node;
}

/** Text of a stranger: its writing direction stays inside it. */
export function stranger(text) {
    return element("bdi", {}, String(text));
}

export const byId = (id) => document.getElementById(id);

/** Writes only what changed, so that a selection or a screen reader's place survives the second. */
export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
    if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/**
 * Makes the children of `parent` those of `items`, in their order: known ones are kept and updated, focus stays where it is.
 *
 * key(item): text, unique; create(item): the child; update(child, item).
 */
export function reconcile(parent, items, key, create, update) {
    const known = new Map();
    for (const child of parent.children) known.set(child.dataset.key, child);
    const focused = parent.contains(document.activeElement) ? document.activeElement : null;
    let place = parent.firstElementChild;
    for (const item of items) {
        const name = key(item);
        let child = known.get(name);
        known.delete(name);
        if (!child) {
            child = create(item);
            child.dataset.key = name;
        }
        update(child, item);
        if (child === place) place = place.nextElementSibling;
        else parent.insertBefore(child, place);
    }
    for (const child of known.values()) child.remove();
    if (focused && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** Says something to those who hear the page instead of seeing it. */
export function announce(text) {
    setText(byId("announcer"), text);
}

let noticeTimer = 0;

/** Says for some seconds what came of an action. */
export function notice(text, isFailure = false) {
    const node = byId("notice");
    node.dataset.kind = isFailure ? "failure" : "success";
    setText(node, text);
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => setText(node, ""), 8000);
}
