# An application in Python that knows nothing of Lazaret: SDKs as their documentation shows them. Prints one JSON line a scenario.
import asyncio
import json
import os
import ssl
import urllib.error
import urllib.request

import aiohttp
import anthropic
import boto3
import openai
import requests

NOTE, CLAUDE, GPT = (os.environ[name] for name in ("NOTE", "CLAUDE", "GPT"))
MESSAGES = [{"role": "user", "content": NOTE}]
claude = anthropic.Anthropic(api_key="sk-ant-api03-test")
gpt = openai.OpenAI(api_key="sk-proj-test")
URL = "https://api.anthropic.com/v1/messages"
HEADERS = {"x-api-key": "sk-ant-api03-test", "anthropic-version": "2023-06-01", "content-type": "application/json"}
BODY = {"model": CLAUDE, "max_tokens": 64, "messages": MESSAGES}


def text_of(answer):
    return "".join(block["text"] for block in answer["content"])


def anthropic_stream():
    with claude.messages.stream(**BODY) as stream:
        return "".join(stream.text_stream)


def openai_stream():
    stream = gpt.chat.completions.create(model=GPT, messages=MESSAGES, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


async def by_aiohttp():
    async with aiohttp.ClientSession() as session:
        async with session.post(URL, headers=HEADERS, json=BODY) as answer:
            return text_of(await answer.json())


def by_urllib(body=BODY, context=None):
    request = urllib.request.Request(URL, json.dumps(body).encode(), HEADERS)
    with urllib.request.urlopen(request, context=context) as answer:
        return text_of(json.load(answer))


def bedrock():
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", **keys)
    client.converse(modelId="anthropic.claude-v2", messages=[{"role": "user", "content": [{"text": NOTE}]}])


SCENARIOS = {
    "anthropic plain": lambda: claude.messages.create(**BODY).content[0].text,
    "anthropic stream": anthropic_stream,
    "openai plain": lambda: gpt.chat.completions.create(model=GPT, messages=MESSAGES).choices[0].message.content,
    "openai stream": openai_stream,
    "anthropic plain by requests": lambda: text_of(requests.post(URL, headers=HEADERS, json=BODY).json()),
    "anthropic plain by aiohttp": lambda: asyncio.run(by_aiohttp()),
    "anthropic plain by urllib": by_urllib,
    "no agreement": lambda: openai.OpenAI(api_key="x", base_url="https://api.mistral.ai/v1").chat.completions.create(model=GPT, messages=MESSAGES),
    "no agreement by boto3": bedrock,
    "own roots": lambda: by_urllib({**BODY, "model": "own-roots"}, ssl.create_default_context(cafile=os.environ["OWN_ROOTS"])),
}

for name, run in SCENARIOS.items():
    try:
        result = {"value": run()}
    except Exception as error:
        told = getattr(error, "response", None)
        amazon = told.get("ResponseMetadata", {}) if isinstance(told, dict) else {}
        status = getattr(error, "status_code", None) or amazon.get("HTTPStatusCode")
        result = {"status": status, "error": str(error)}
    print(json.dumps({"name": name, **result}), flush=True)
