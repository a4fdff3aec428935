// The models that workers have ready: how many workers, and what they solve together.

import { byId, setText, stranger } from "./dom.js";
import * as format from "./format.js";
import { SortableTable } from "./table.js";

export class ModelsTable {
    #table = new SortableTable(byId("models"), [
        { id: "name", label: "Model", title: "Its name", isText: true, value: (model) => model.name, fill: (cell, model) => fillOnce(cell, model.name) },
        { id: "version", label: "Version", title: "Its version", isText: true, value: (model) => model.version, fill: (cell, model) => fillOnce(cell, model.version) },
        { id: "architecture", label: "Architecture", title: "What kind of solver it is", isText: true, value: (model) => model.architecture, fill: (cell, model) => fillOnce(cell, model.architecture) },
        { id: "workers", label: "Workers", title: "Workers that have it ready", value: (model) => model.workers, text: (model) => format.count(model.workers) },
        { id: "persons_per_second", label: "People/s", title: "People solved per second, all workers together", value: (model) => model.persons_per_second, text: (model) => format.rate(model.persons_per_second) },
        { id: "items_ok", label: "Solved", title: "People solved since the workers started", value: (model) => model.items_ok, text: (model) => format.count(model.items_ok) },
        { id: "items_failed", label: "Failed", title: "People without a result since the workers started", value: (model) => model.items_failed, text: (model) => format.count(model.items_failed) },
    ], {
        key: (model) => `${model.name}/${model.version}`,
        sort: { id: "name", isDescending: false },
    });

    show(workers) {
        const models = new Map();
        for (const worker of workers) {
            if (worker.state === "gone") continue;
            for (const model of worker.models ?? []) {
                const key = `${model.name}/${model.version}`;
                const sum = models.get(key) ?? {
                    name: model.name, version: model.version, architecture: model.architecture,
                    workers: 0, persons_per_second: 0, items_ok: 0, items_failed: 0,
                };
                sum.workers += 1;
                for (const field of ["persons_per_second", "items_ok", "items_failed"]) sum[field] += model[field] ?? 0;
                models.set(key, sum);
            }
        }
        setText(byId("model-count"), models.size ? String(models.size) : "");
        byId("models").hidden = models.size === 0;
        byId("models-empty").hidden = models.size > 0;
        this.#table.show([...models.values()]);
    }
}

function fillOnce(cell, text) {
    if (cell.textContent !== (text ?? "–")) cell.replaceChildren(stranger(text ?? "–"));
}
