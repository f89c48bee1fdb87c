// The upload form works without this. With it: the chosen file's name and size, the limit checked beforehand, a progress bar.
(() => {
  const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  const prepare = (form) => {
    const input = form.querySelector("input[type=file]");
    const zone = form.querySelector("[data-drop]");
    const chosen = form.querySelector("[data-chosen]");
    const problem = form.querySelector("[data-problem]");
    const box = form.querySelector("[data-upload]");
    const limit = Number(form.dataset.limit);

    const complain = (sentence) => {
      problem.textContent = sentence;
      problem.hidden = !sentence;
    };
    const describe = () => {
      const file = input.files[0];
      if (!file) return true;
      chosen.textContent = `${file.name}, ${size(file.size)}`;
      const fits = file.size <= limit;
      complain(fits ? "" : `${file.name} has ${size(file.size)}; at most ${size(limit)} can be uploaded. Split the file and add the parts one after the other.`);
      return fits;
    };
    input.addEventListener("change", describe);
    for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("over"));
    for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));

    form.addEventListener("submit", (event) => {
      if (!input.files.length) return; // nothing to watch: an ordinary submit
      event.preventDefault();
      if (!describe()) return;
      send(form, box, complain);
    });
  };

  const send = (form, box, complain) => {
    const bar = box.querySelector("progress");
    const words = box.querySelector("[data-words]");
    const buttons = form.querySelectorAll("button");
    const request = new XMLHttpRequest();
    const idle = (sentence) => {
      box.hidden = true;
      for (const button of buttons) button.disabled = false;
      complain(sentence);
    };
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = event.loaded / event.total;
      words.textContent = event.loaded < event.total
        ? `${size(event.loaded)} of ${size(event.total)} uploaded`
        : "Uploaded. Looking at the first rows …";
    });
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // an error page instead of an answer
      }
      if (answer.next) location.assign(answer.next);
      else idle(answer.error || "The server could not take this file, and nothing of it was kept. Reload the page and try again.");
    });
    request.addEventListener("error", () => idle("The connection broke during the upload. Nothing was kept; press the button to try again."));
    for (const button of buttons) button.disabled = true;
    complain("");
    box.hidden = false;
    request.send(new FormData(form));
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-upload-form]").forEach(prepare));
})();
