"""One file a way to a caption.

Every captioner has `Params`. One that needs no model has `caption(raw, params)`: the text, or why there is none. One
that asks a model has `PROMPT`, an `engine` among its Params that names one of `engines.*`, `ask(...)`, the request
that is made of an image, and `read(...)`, the text in the model's reply, or why it cannot be used.
"""
