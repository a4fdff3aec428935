// A table whose columns sort: by a click or a key on their headings, told to screen readers by aria-sort.

import { element, reconcile, setAttribute, setText } from "./dom.js";

/**
 * column: {
 *   id, label, title,                  what the heading says
 *   value(item),                       what is sorted by; left out: the column does not sort
 *   isText,                            sorts upwards first and stands to the left
 *   fill(cell, item, column),          writes the cell; left out: `text`
 *   text(item),                        the cell's text
 * }
 */
export class SortableTable {
    #table;
    #columns;
    #options;
    #sort;
    #items = [];
    #order = [];

    /** options: key(item), sort: {id, isDescending}, isLast(item) keeps some rows at the end, row(tr, item) decorates a row. */
    constructor(table, columns, options) {
        this.#table = table;
        this.#columns = columns;
        this.#options = options;
        this.#sort = options.sort;
        const head = element("tr");
        for (const column of columns) head.append(this.#heading(column));
        table.tHead.replaceChildren(head);
        this.#showSort();
    }

    show(items) {
        this.#items = items;
        // Rows hold still while someone is about to press a button in them.
        const body = this.#table.tBodies[0];
        const isHeld = body.matches(":hover") || body.contains(document.activeElement);
        this.#draw(isHeld);
    }

    #heading(column) {
        const heading = element("th", { scope: "col", "data-column": column.id, class: column.isText ? "text" : "number" });
        if (!column.value) {
            heading.append(column.label ? element("span", { title: column.title }, column.label)
                : element("span", { class: "visually-hidden" }, column.title));
            return heading;
        }
        const button = element("button", { type: "button", title: column.title }, column.label,
            element("span", { class: "arrow", "aria-hidden": "true" }));
        button.addEventListener("click", () => {
            const isSame = this.#sort.id === column.id;
            this.#sort = { id: column.id, isDescending: isSame ? !this.#sort.isDescending : !column.isText };
            this.#showSort();
            this.#draw(false);
        });
        heading.append(button);
        return heading;
    }

    #showSort() {
        for (const heading of this.#table.tHead.rows[0].cells) {
            const isSorted = heading.dataset.column === this.#sort.id;
            setAttribute(heading, "aria-sort", isSorted ? (this.#sort.isDescending ? "descending" : "ascending") : null);
        }
    }

    #draw(isHeld) {
        const { key, row } = this.#options;
        const items = isHeld ? this.#inLastOrder() : this.#sorted();
        this.#order = items.map(key);
        reconcile(this.#table.tBodies[0], items, key, () => {
            const line = element("tr");
            this.#columns.forEach((column, index) => {
                const tag = index === 0 ? "th" : "td";
                line.append(element(tag, {
                    scope: index === 0 ? "row" : null, "data-field": column.id, class: column.isText ? "text" : "number",
                }));
            });
            return line;
        }, (line, item) => {
            row?.(line, item);
            this.#columns.forEach((column, index) => {
                const cell = line.cells[index];
                if (column.fill) column.fill(cell, item);
                else setText(cell, column.text(item));
            });
        });
    }

    #inLastOrder() {
        const places = new Map(this.#order.map((name, index) => [name, index]));
        const place = (item) => places.get(this.#options.key(item)) ?? places.size;
        return [...this.#items].sort((a, b) => place(a) - place(b));
    }

    #sorted() {
        const column = this.#columns.find((candidate) => candidate.id === this.#sort.id);
        const sign = this.#sort.isDescending ? -1 : 1;
        const isLast = this.#options.isLast ?? (() => false);
        return [...this.#items].sort((a, b) =>
            isLast(a) - isLast(b) || sign * compare(column.value(a), column.value(b))
            || compare(this.#options.key(a), this.#options.key(b)));
    }
}

/** Unknown is smaller than everything. */
function compare(a, b) {
    if (a === b) return 0;
    if (a === null || a === undefined) return -1;
    if (b === null || b === undefined) return 1;
    return a < b ? -1 : 1;
}
