"""One file a metric: `measure(rows, params)` reads what models replied, and every figure says what it was made of.

A metric is a module with

* a docstring: what it counts, its source, and what it gives for rows without a reply and for no rows;
* `Params`: its settings, a frozen pydantic model that forbids unknown keys;
* `measure(rows, params) -> tuple[Measured, ...]`: one `predictions.Measured` a figure, named `file` or
  `file.figure`. A row that is not asked about leaves no unit; one that is asked about and cannot be
  told leaves a unit without parts, and its reason. Of a reply it reads `row.answer`, the reasoning left out.

`predictions.score(measured)` is the figure with `n` of `n_asked`; `evaluation.intervals` adds an interval. All rows
of `measure` are of one run of one model; they may be of several benchmarks::

    from mht import catalog
    from mht.predictions import Prediction, score

    module = catalog.load("evaluation.metrics", "false_premise")
    scores = [score(one) for one in module.measure(rows, module.Params())]

Validation during training asks `false_premise`, `false_denial`, `over_rejection`, `twins` and `risk_weighted`; a row is
made of a pair by `predictions.of_pair(pair, reply, failure)`. No metric needs ray, and none loads a library before it
is called.
"""
