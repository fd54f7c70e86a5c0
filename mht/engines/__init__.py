"""One file a way to run a model: `Engine(params).generate(requests)` gives a reply for each, in their order.

An engine's file has `Params`, with a `model` among its keys; `check(params)`, which says on the driver, before Ray
starts, what is missing; `identity(params)`, what decides its replies beside the request, for the fingerprint; and
`Engine`, a context manager that loads the model when it is made. The contract test runs over every file here.

An engine that can compare how likely given answers are has `generate_weighed(requests, answers)`, too: the replies,
and for each request the answers' probabilities. What it tells as it works has both in one, in `Reply.shares`.
"""
