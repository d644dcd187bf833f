# The same application in Python: the providers' SDKs, default base URLs. Prints one JSON line a scenario.
import json
import os
import sys

import anthropic
import openai

note = os.environ["NOTE"]
claude = anthropic.Anthropic(api_key="sk-ant-api03-test")
gpt = openai.OpenAI(api_key="sk-proj-test")
base = {"model": "claude-test-1", "max_tokens": 64}


def user(text):
    return [{"role": "user", "content": text}]


def text_of(answer):
    return "".join(block.text for block in answer.content if block.type == "text")


def anthropic_stream():
    with claude.messages.stream(messages=user(note), **base) as stream:
        return "".join(stream.text_stream)


def anthropic_tool():
    tools = [{"name": "find_patient", "description": "Finds a patient", "input_schema": {"type": "object", "properties": {"who": {"type": "string"}}}}]
    with claude.messages.stream(messages=user("TOOL " + note), tools=tools, **base) as stream:
        return [block.input for block in stream.get_final_message().content if block.type == "tool_use"][0]


def openai_stream():
    stream = gpt.chat.completions.create(model="gpt-test", messages=user(note), stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


scenarios = {
    "anthropic plain": lambda: text_of(claude.messages.create(messages=user(note), **base)),
    "anthropic stream": anthropic_stream,
    "anthropic tool": anthropic_tool,
    "openai plain": lambda: gpt.chat.completions.create(model="gpt-test", messages=user(note)).choices[0].message.content,
    "openai stream": openai_stream,
    "an operation that is not covered": lambda: claude.models.list(),
    "a provider without an agreement": lambda: openai.OpenAI(api_key="x", base_url="https://api.mistral.ai/v1").chat.completions.create(model="m", messages=user(note)),
}

for name, run in scenarios.items():
    try:
        result = {"value": run()}
    except Exception as error:
        result = {"error": {"class": type(error).__name__, "status": getattr(error, "status_code", None), "message": str(error)}}
    print(json.dumps({"name": name, **result}))
    sys.stdout.flush()
