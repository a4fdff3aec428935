// Chooses light or dark before the first paint: what the person chose here, or what the system says.
(() => {
    const choices = ["auto", "light", "dark"];
    const stored = () => {
        try {
            const value = localStorage.getItem("sinew-theme");
            return choices.includes(value) ? value : "auto";
        } catch {
            return "auto"; // Storage is switched off: the system decides.
        }
    };
    const apply = (choice) => {
        if (choice === "auto") delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = choice;
    };
    apply(stored());

    document.addEventListener("DOMContentLoaded", () => {
        const button = document.getElementById("theme-button");
        const show = () => { button.textContent = `Theme: ${stored()}`; };
        const changed = () => document.dispatchEvent(new Event("themechange"));
        button.addEventListener("click", () => {
            const next = choices[(choices.indexOf(stored()) + 1) % choices.length];
            try {
                localStorage.setItem("sinew-theme", next);
            } catch {
                return; // Nothing can be remembered, so nothing changes.
            }
            apply(next);
            show();
            changed();
        });
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
        show();
    });
})();
