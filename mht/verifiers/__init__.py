"""One file a way to have pairs checked by a model, as a second opinion on what the rules decided.

Every verifier has `Params`. `none` asks nobody. One that asks has `PROMPTS`, an `engine` among its Params,
`sees_image(params)`, `ask(pair, caption, image, params, seed)`, the independent requests of one pair, and
`judge(pair, requests, replies)`, a verdict on each.
"""
