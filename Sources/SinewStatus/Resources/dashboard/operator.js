// The operator's token, and what may be done with it: drain a worker, cancel a job.

import { asOperator } from "./api.js";
import { byId, notice, setAttribute, setText } from "./dom.js";

const storageKey = "sinew-operator-token";

/** This tab's storage; switched off, the token lives as long as the page. */
const storage = {
    read() { try { return sessionStorage.getItem(storageKey); } catch { return null; } },
    write(token) { try { sessionStorage.setItem(storageKey, token); } catch { /* The page itself remembers it. */ } },
    clear() { try { sessionStorage.removeItem(storageKey); } catch { /* Nothing was kept. */ } },
};

export class Operator {
    #token = null;
    #changed;

    /** `changed` is called when buttons are to appear or to go. */
    constructor(changed) {
        this.#changed = changed;
        byId("operator-button").addEventListener("click", () => this.#open());
        byId("operator-cancel").addEventListener("click", () => byId("operator-dialog").close());
        byId("operator-forget").addEventListener("click", () => this.#forget());
        byId("operator-dialog").querySelector("form").addEventListener("submit", (event) => {
            event.preventDefault();
            this.#offer(byId("operator-token").value.trim());
        });
        const kept = storage.read();
        if (kept) this.#check(kept).catch(() => storage.clear());
    }

    /** Whether the broker accepted the token. */
    get isAccepted() {
        return this.#token !== null;
    }

    async drain(name) {
        const isSure = await confirmed(`Drain ${name}?`,
            "It finishes what it computes, gives back what it has not begun, and leaves. No task loses an attempt.", "Drain");
        if (isSure) await this.#post(`api/v1/workers/${encodeURIComponent(name)}/drain`, `${name} was told to leave`);
    }

    async cancel(id, label) {
        const name = label || id;
        const isSure = await confirmed(`Cancel ${name}?`, "What is not finished is given up; results that are there stay.", "Cancel the job");
        if (isSure) await this.#post(`api/v1/jobs/${encodeURIComponent(id)}/cancel`, `${name} was cancelled`);
    }

    async #post(path, success) {
        try {
            await asOperator("POST", path, this.#token);
            notice(success);
        } catch (error) {
            if (error.status === 401) this.#forget();
            notice(error.message, true);
        }
    }

    async #check(token) {
        await asOperator("GET", "api/v1/operator", token);
        this.#token = token;
        storage.write(token);
        this.#show();
    }

    async #offer(token) {
        if (!token) return setText(byId("operator-message"), "Type the token that stands in the broker's --http-token-file.");
        // A header holds these characters only; a pasted word with others cannot be the token.
        if (!/^[\x21-\x7e]+$/.test(token)) return setText(byId("operator-message"), "A token consists of letters, digits and signs without spaces.");
        try {
            await this.#check(token);
            byId("operator-dialog").close();
            notice("Token accepted; buttons stand in the tables now");
        } catch (error) {
            setText(byId("operator-message"), error.status === 401 ? "This is not the broker's token." : error.message);
        }
    }

    #open() {
        byId("operator-token").value = "";
        setText(byId("operator-message"), "");
        byId("operator-forget").hidden = !this.isAccepted;
        byId("operator-dialog").showModal();
        byId("operator-token").focus();
    }

    #forget() {
        this.#token = null;
        storage.clear();
        if (byId("operator-dialog").open) byId("operator-dialog").close();
        this.#show();
    }

    #show() {
        setText(byId("operator-button"), this.isAccepted ? "Operator ✓" : "Operator");
        setAttribute(document.body, "data-operator", this.isAccepted ? "accepted" : null);
        this.#changed();
    }
}

/** Asks; Escape and “Keep” mean no. */
function confirmed(title, text, yes) {
    const dialog = byId("confirm-dialog");
    setText(byId("confirm-title"), title);
    setText(byId("confirm-text"), text);
    setText(byId("confirm-yes"), yes);
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
}
