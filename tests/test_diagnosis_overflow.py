"""Which texts are about a context that is too small, an output cap or an unknown field."""

import json

import pytest

from fcc.diagnosis.overflow import OutputCap, Overflow, output_cap, overflow, unknown_field
from fcc.diagnosis.verdict import Source, fix, refusal
from fcc.errors import BadRequestError, Fix, PromptTooLongError

OVERFLOWS = [
    ("prompt is too long: 213462 tokens > 200000 maximum", 213462, None, 200000),
    (("This model's maximum context length is 8192 tokens. However, you requested 254457 tokens."
     " Please reduce the length."), 254457, None, 8192),
    (("This model's maximum context length is 8191 tokens, however you requested 10346 tokens"
     " (10346 in your prompt; 5 for the completion)."), 10346, 5, 8191),
    (("This model's maximum context length is 128000 tokens. However, your messages resulted in"
     " 130100 tokens (120000 in the messages, 10100 in the functions)."), 130100, None, 128000),
    (("This endpoint's maximum context length is 204800 tokens. However, you requested about 274290"
     " tokens (254087 of text input, 4203 of tool input, 16000 in the output)."), 258290, 16000,
     204800),
    (("This endpoint's maximum context length is 262000 tokens. However, you requested about 263390"
     " tokens (658 of text input, 732 of tool input, 262000 in the output)."), 1390, 262000, 262000),
    (("You passed 4097 input tokens and requested 1024 output tokens. However, the model's context"
     " length is only 4096 tokens, resulting in a maximum input length of 3072 tokens."), 4097, 1024,
     4096),
    ("The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 5000,
     None, 4096),
    ("The input (40,112 tokens) is longer than the model's context length (32,768 tokens).", 40112,
     None, 32768),
    ("Input length (131073 tokens) exceeds the maximum allowed length (131066 tokens).", 131073,
     None, 131066),
    ("the request exceeds the available context size. try increasing the context size", None,
     None, None),
    ("Requested tokens (5000) exceed context window of 4096", 5000, None, 4096),
    ("(n_keep: 13055>= n_ctx: 4096)", 13055, None, 4096),
    ("the prompt is longer than the context length currently available to the model", None, None,
     None),
    ("the input length exceeds the context length", None, None, None),
    (("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100"
     " `max_new_tokens`"), 5000, 100, 4096),
    ("`inputs` must have less than 4096 tokens. Given: 5000", 5000, None, 4096),
    (("Unable to submit request because the input token count is 1200000 but model only supports up"
     " to 1048576."), 1200000, None, 1048576),
    ("prompt token count of 140000 exceeds the limit of 128000", 140000, None, 128000),
    (("Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000"
     " tokens."), 300000, None, 272000),
    ("The prompt is too long: 140000, model maximum context length: 131071", 140000, None, 131071),
    ("Input is too long for requested model.", None, None, None),
    ("max_tokens must be at least 1, got -736.", None, None, None),
    ("max_tokens must be at least1, got -736. (parameter=max_tokens, value=-736)", None, None, None),
    ("ContextWindowExceededError: too much", None, None, None),
    ("Request body too large for gpt-4o model. Max size: 8000 tokens.", None, None, 8000),
    ("invalid params, context window exceeds limit (2013)", None, None, None),
    ("input length and `max_tokens` exceed context limit: 188240 + 32000 > 200000", 188240, 32000,
     200000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "prompt", "asked", "limit"), OVERFLOWS)
def test_an_overflow_is_found_with_its_numbers(text, prompt, asked, limit):
    found = overflow(text)
    assert found is not None
    assert (found.prompt_tokens, found.max_tokens, found.limit) == (prompt, asked, limit)


@pytest.mark.parametrize(("text", "prompt", "asked", "limit"), OVERFLOWS)
def test_line_breaks_and_letter_case_make_no_difference(text, prompt, asked, limit):
    assert overflow(text.upper().replace(" ", "\n ")) == overflow(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rate limit reached on tokens per minute (TPM): maximum context length",
        "Too many requests: reduce the length of the messages",
        "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9200",
        "Prompt tokens limit exceeded: 230799 > 91442. To increase, visit https://x",
        "Invalid 'tools[43].function.name': string too long. Expected a string with maximum length 64",
        "upstream connect error or disconnect/reset before headers. reset reason: overflow",
        "input (5000 tokens) is too large to process. increase the physical batch size",
        "max_tokens is too large: 64000. This model supports at most 16384 completion tokens",
        "max_tokens must be at least 16, got 1",
        "stack overflow in template",
        "The context of this tool call is missing",
        "message: 'tool_call_id' too long",
    ],
)
def test_what_compaction_can_not_mend_is_no_overflow(text):
    assert overflow(text) is None


@pytest.mark.parametrize(
    "code",
    ["context_length_exceeded", "exceed_context_size_error", "1261", "CONTEXT_LENGTH_EXCEEDED"],
)
def test_a_code_is_enough(code):
    assert overflow("no", code) == Overflow()


def test_numbers_beside_the_text_count_more():
    found = overflow("exceeds the available context size (1 tokens)", "",
                     {"n_prompt_tokens": 48213, "n_ctx": 32768})  # fmt: skip
    assert found == Overflow(prompt_tokens=48213, limit=32768)


@pytest.mark.parametrize(
    ("prompt", "asked", "limit", "fits"),
    [
        (90, 20, 100, True),
        (99, 2, 100, True),
        (100, 20, 100, False),
        (80, 20, 100, False),
        (110, 20, 100, False),
        (None, 20, 100, False),
        (90, None, 100, False),
        (90, 20, None, False),
    ],
)
def test_input_fits_without_output_when_all_three_numbers_say_so(prompt, asked, limit, fits):
    assert Overflow(prompt, asked, limit).fits_without_output is fits


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        (("max_tokens is too large: 64000. This model supports at most 16384 completion tokens,"
         " whereas you provided 64000."), OutputCap(64000, 16384)),
        (("`max_completion_tokens` must be less than or equal to `40960`, the maximum value for"
         " `max_completion_tokens` is less than the `context_window`"), OutputCap(None, 40960)),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
         OutputCap(None, 8192)),
        ("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 65536]",
         OutputCap(None, 65536)),
        ("max_tokens: 64000 > 16384, which is the maximum allowed number of output tokens",
         OutputCap(64000, 16384)),
        (("The parameter `max_completion_tokens` specified in the request are not valid: integer"
         " above maximum value, expected a value <= 12288, but got 32000 instead."),
         OutputCap(32000, 12288)),
        ("max_tokens: Input should be less than or equal to 4096", OutputCap(None, 4096)),
        (("maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 8193"
         " (exclusive)."), OutputCap(100000, 8192)),
        ("max_tokens (32000) exceeds the maximum of 8192", OutputCap(32000, 8192)),
        ("max_tokens=200000 cannot be greater than max_model_len=max_total_tokens=40960.",
         OutputCap(200000, 40960)),
        ("max_output_tokens must be in the range [1, 65537)", OutputCap(None, 65536)),
        ("the maximum value for max_tokens is 8192", OutputCap(None, 8192)),
        ("max_tokens must be at least 16", None),
        ("Requests with max_tokens > 5000 must have stream=true", None),
        ("max_tokens on tokens per minute (TPM): at most 6000", None),
        ("temperature must be less than or equal to 2", None),
        ("max_tokens must be at most 16, got 8", None),
        ("", None),
    ],
)  # fmt: skip
def test_an_output_cap_is_found(text, cap):
    assert output_cap(text) == cap


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("body -> presence_penalty\n  Extra inputs are not permitted (type=value_error.extra)",
         "presence_penalty"),
        (("[{'type': 'extra_forbidden', 'loc': ('body', 'reasoning'), 'msg': 'Extra inputs are not"
         " permitted', 'input': {'effort': 'high'}}]"), "reasoning"),
        (('[{"loc": ["body", "stream_options", "include_usage"], "msg": "extra fields not'
         ' permitted"}]'), "stream_options"),
        ("body.reasoning: Extra inputs are not permitted", "reasoning"),
        ("body.top_k.0: Extra inputs are not permitted", "top_k"),
        ("Unrecognized request argument supplied: parallel_tool_calls", "parallel_tool_calls"),
        ("Unrecognized request arguments supplied: thinking, top_k", "thinking"),
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens"),
        ("Unsupported value: 'temperature' does not support 0.7 with this model.", "temperature"),
        ('Invalid JSON payload received. Unknown name "stream_options": Cannot find field.',
         "stream_options"),
        ("Unexpected fields in the request: {'reasoning'}", "reasoning"),
        ("Unexpected field(s): ['top_k']", "top_k"),
        ("property 'store' is unsupported, did you mean 'stop'?", "store"),
        ("body.thinking: property 'body.thinking' is unsupported", "thinking"),
        ("Model grok-4 does not support parameter reasoningEffort.", "reasoning_effort"),
        ("Argument not supported on this model: presencePenalty", "presence_penalty"),
        ("Additional properties are not allowed ('top_k' was unexpected)", "top_k"),
        ("got an unexpected keyword argument 'chat_template_kwargs'", "chat_template_kwargs"),
        ("Unknown parameter: 'thinking'.", "thinking"),
        ("unknown field `metadata`, expected one of `model`, `messages`", "metadata"),
        ("stream_options is not supported", "stream_options"),
        ("`tool_choice` is not supported by this model", "tool_choice"),
        ("The parameter thinking is not supported", "thinking"),
        ("Unrecognized key(s) in object: 'cache_control'", "cache_control"),
        ("openai does not support parameters: ['reasoning_effort'], for model=x",
         "reasoning_effort"),
        # a part of a message or of a tool is no field of the body
        ('Unknown name "$schema" at \'tools[0].function_declarations\': Cannot find field.', None),
        (("'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' :"
         " property 'reasoning_content' is unsupported)]"), None),
        (("messages.2.assistant.reasoning_content: property"
         " 'messages.2.assistant.reasoning_content' is unsupported"), None),
        (("[{'type': 'extra_forbidden', 'loc': ('body', 'messages', 0, 'name'), 'msg': 'Extra"
         " inputs are not permitted'}]"), None),
        # without these it is another request
        ("Unsupported parameter: 'tools' is not supported with this model.", None),
        ("unknown field `messages`", None),
        # about something else
        ("image input is not supported", None),
        ("Invalid argument provided to Gemini.", None),
        ("Unsupported JSON schema fields: {'minItems', 'items'}", None),
        ("The model does not support parameters that are this large", None),
        ("error: Extra inputs are not permitted", None),
        ("hello", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_field_that_is_not_taken_is_named(text, field):
    assert unknown_field(text) == field


def body(message, **more):
    return json.dumps({"error": {"message": message, **more}}).encode()


BREAKDOWN = (
    "This model's maximum context length is {} tokens. However, you requested {} tokens"
    " ({} in the messages, {} in the completion)."
)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_less_output_is_asked_for_where_that_makes_the_request_fit(status):
    mend = fix(status, body(BREAKDOWN.format(128000, 140000, 108000, 32000)))
    assert mend == Fix(max_tokens=19000, lasting=False)


@pytest.mark.parametrize("prompt", [121, 3000, 4000, 4090, 4095])
def test_input_and_the_output_of_a_fix_stay_under_the_limit(prompt):
    mend = fix(400, body(BREAKDOWN.format(4096, prompt + 4096, prompt, 4096)))
    assert mend is not None
    assert mend.max_tokens is not None
    assert 0 < mend.max_tokens <= 4096 - prompt


def test_input_that_is_too_long_by_itself_has_no_fix():
    assert fix(400, body(BREAKDOWN.format(128000, 170000, 138000, 32000))) is None


def test_input_that_fits_is_told_apart_from_input_that_does_not():
    source = Source("OpenAI", "gpt-4o")
    fits = refusal(source, 400, {}, body(BREAKDOWN.format(128000, 140000, 108000, 32000)))
    assert type(fits) is BadRequestError
    assert fits.message.startswith(
        "input length and `max_tokens` exceed context limit: 108000 + 32000 > 128000 "
    )
    full = refusal(source, 400, {}, body(BREAKDOWN.format(128000, 170000, 138000, 32000)))
    assert type(full) is PromptTooLongError
    assert full.message.startswith("prompt is too long: 138000 tokens > 128000 maximum")


# vLLM stops counting at limit - max_tokens + 1.
AT_LEAST = (
    "This model's maximum context length is 40960 tokens. However, you requested {} output tokens"
    " and your prompt contains at least {} input tokens, for a total of at least 40961 tokens."
)


def test_input_that_was_not_counted_to_its_end_gets_half_the_output():
    text = AT_LEAST.format(32000, 8961)
    assert fix(400, body(text)) == Fix(max_tokens=16000, lasting=False)
    error = refusal(Source("vLLM", "m"), 400, {}, body(text))
    assert "8961 + 32000 > 40960" in error.message


def test_input_that_was_not_counted_and_leaves_no_room_is_too_long():
    text = AT_LEAST.format(2000, 38961)
    assert fix(400, body(text)) is None
    error = refusal(Source("vLLM", "m"), 400, {}, body(text))
    assert error.message.startswith("prompt is too long: 40961 tokens > 40960 maximum")


def test_numbers_that_contradict_an_overflow_are_not_put_into_its_words():
    error = refusal(Source("P", "m"), 400, {}, body(
        "maximum context length is 4096 tokens, your request has 1000 input tokens"))  # fmt: skip
    assert type(error) is PromptTooLongError
    assert error.message.startswith("prompt is too long for a limit of 4096 tokens")


def test_a_param_is_enough_where_the_code_says_that_it_is_unknown():
    raw = body("no", param="stream_options", code="unknown_parameter")
    assert fix(400, raw) == Fix(drop_field="stream_options")
    assert fix(400, body("no", param="messages", code="unknown_parameter")) is None
    assert fix(400, body("no", param="stream_options", code="other")) is None


@pytest.mark.parametrize("status", [401, 402, 403, 404, 429, 500, 503])
def test_other_statuses_are_not_mended(status):
    assert fix(status, body("Unknown parameter: 'thinking'.")) is None


def test_a_200_is_mended_by_the_status_in_its_body():
    assert fix(200, body("Unknown parameter: 'thinking'.", code=400)) == Fix(drop_field="thinking")
    assert fix(200, body("Unknown parameter: 'thinking'.", code=429)) is None


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("status", [400, 413, 500])
def test_an_empty_refusal_is_an_overflow_where_the_profile_says_so(known, status):
    source = Source("P", "m", empty_is_overflow=known)
    error = refusal(source, status, {}, b" \n")
    overflows = known and status in (400, 413)
    assert isinstance(error, PromptTooLongError) is overflows
    assert error.message.startswith("prompt is too long") is overflows


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "insufficient_quota", "string_too_long"])
def test_a_code_of_another_kind_counts_more_than_the_words_of_an_overflow(code):
    raw = body("Please reduce the length of the messages", code=code)
    error = refusal(Source("P", "m"), 413, {}, raw)
    assert not isinstance(error, PromptTooLongError)
    assert "length of the messages" not in error.message
