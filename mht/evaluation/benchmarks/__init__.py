"""One file a benchmark: questions from the user's own copy of a release, in the release's own format.

A benchmark is a module with

* a docstring: what is asked, where the release comes from, which files are looked for;
* `Params`: where the copy lies and how its questions are asked, a frozen pydantic model that forbids unknown keys;
* `Benchmark(params, storage)`: `questions()` yields `questions.Question`s without their images, `images(questions)`
  reads those of some as they lie (JPEG, PNG, or another format), `digest` tells the files of rows that were read,
  `pictures()` yields the images of all splits, `notes()` says what a person must know of the copy. Making one reads
  nothing; it can be pickled.
* where a release has a format for answers, the class has `write(predictions, folder)`.

Every row ends as a question or is refused and counted by its reason::

    from mht import catalog

    module = catalog.load("evaluation.benchmarks", "vqa_rad")
    benchmark = module.Benchmark(module.Params(path="vqa_rad"), storage)
    for question in benchmark.questions(): ...
    print(*benchmark.notes(), sep="\\n")
"""
