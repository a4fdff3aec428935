// The broker's event stream: reconnects for ever, and says how old what is shown has become.

const staleAfter = 3000; // Events come every second; three missing ones are no hiccup.
const retryFirst = 500;
const retryLast = 4000;

export class FleetStream {
    #url;
    #handlers;
    #source = null;
    #heard = null;
    #opened = performance.now();
    #retry = retryFirst;
    #state = "connecting";

    /** handlers: fleet(object), jobs(object), state(word, secondsSinceHeard). */
    constructor(url, handlers) {
        this.#url = url;
        this.#handlers = handlers;
        this.#connect();
        setInterval(() => this.#look(), 250);
        // A browser keeps a page that was left for a while. With its stream open it would hold one of the few connections that a
        // browser makes to one address, and six such pages would leave none.
        addEventListener("pagehide", () => this.#source?.close());
        addEventListener("pageshow", (event) => { if (event.persisted) this.#connect(); });
    }

    #connect() {
        this.#opened = performance.now();
        const source = new EventSource(this.#url);
        this.#source = source;
        source.addEventListener("fleet", (event) => {
            this.#heard = performance.now();
            this.#retry = retryFirst;
            this.#say("live");
            this.#handlers.fleet(JSON.parse(event.data));
        });
        source.addEventListener("jobs", (event) => this.#handlers.jobs(JSON.parse(event.data)));
        source.addEventListener("error", () => this.#again());
    }

    /** Our own retries: the browser's give up for good at a refusal (a broker that starts, a limit of streams). */
    #again() {
        this.#source?.close();
        this.#source = null;
        this.#say("disconnected");
        setTimeout(() => this.#connect(), this.#retry);
        this.#retry = Math.min(retryLast, this.#retry * 2);
    }

    #look() {
        const age = performance.now() - (this.#heard ?? this.#opened);
        if (this.#source && age > staleAfter) {
            this.#say(this.#heard === null ? "disconnected" : "stale");
            // A connection that is open and silent for so long is dead: the other machine may have vanished.
            if (performance.now() - Math.max(this.#opened, this.#heard ?? 0) > 10 * staleAfter) this.#again();
        } else if (this.#state !== "live") {
            this.#say(this.#state);
        }
    }

    #say(state) {
        this.#state = state;
        this.#handlers.state(state, this.#heard === null ? null : (performance.now() - this.#heard) / 1000);
    }
}
