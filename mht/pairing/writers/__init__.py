"""One file a way to word pairs whose plan is made: the edit, its span, type and risk are known before anyone writes.

Every writer has `Params`. `templates` keeps the pairs as the forms worded them. One that asks a model has `PROMPT`, an
`engine` among its Params, `asked(twins, params)`, whether it words these, `ask(...)`, the request, `read(...)`, the
wording in the reply or why it cannot be used, and `apply(wording, twins)`, the twins in that wording.
"""
