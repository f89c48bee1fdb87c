// Stacked bars by outcome. A <canvas data-chart="ID"> draws the JSON in the element with that id, and again whenever the
// fragment around that JSON is replaced or the theme changes. Colours come from the legend's swatches.
(() => {
  const charts = new Map();

  const colour = (name, property = "color") => {
    const probe = document.createElement("i");
    probe.className = name;
    const legend = document.querySelector(".legend") ?? document.body;
    legend.append(probe);
    const value = getComputedStyle(probe)[property];
    probe.remove();
    return value;
  };

  const tone = (variable) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${variable})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  const indian = new Intl.NumberFormat("en-IN");
  const short = (n) =>
    n >= 1e7 ? `${indian.format(n / 1e7)} cr` : n >= 1e5 ? `${indian.format(n / 1e5)} lakh` : indian.format(n);

  const data = (source) => ({
    labels: source.labels,
    datasets: source.sets.map((set) => ({
      label: set.label,
      data: set.values,
      backgroundColor: colour(set.key),
      stack: "outcomes",
      maxBarThickness: 40,
      categoryPercentage: 0.86,
      barPercentage: 0.94,
    })),
  });

  const options = () => {
    const text = tone("--ink-soft");
    const grid = tone("--line");
    const font = { family: getComputedStyle(document.body).fontFamily, size: 11.5 };
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          filter: (item) => item.raw > 0,
          callbacks: { label: (item) => ` ${item.dataset.label} ${indian.format(item.raw)}` },
        },
      },
      scales: {
        x: { stacked: true, grid: { display: false }, border: { color: grid }, ticks: { color: text, font, maxRotation: 0, autoSkipPadding: 16 } },
        y: {
          stacked: true,
          beginAtZero: true,
          border: { display: false },
          grid: { color: grid, drawTicks: false },
          ticks: { color: text, font, padding: 8, maxTicksLimit: 5, precision: 0, callback: short },
        },
      },
    };
  };

  const draw = (canvas) => {
    const element = document.getElementById(canvas.dataset.chart);
    if (!element) return;
    const source = JSON.parse(element.textContent);
    let chart = charts.get(canvas);
    if (!chart) {
      chart = new Chart(canvas, { type: "bar", data: data(source), options: options() });
      charts.set(canvas, chart);
      return;
    }
    chart.data = data(source);
    chart.options = options();
    chart.update("none");
  };

  const drawAll = () => {
    for (const canvas of charts.keys()) {
      if (!canvas.isConnected) {
        charts.get(canvas).destroy();
        charts.delete(canvas);
      }
    }
    document.querySelectorAll("canvas[data-chart]").forEach(draw);
  };

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
  document.addEventListener("themechange", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
