<?php
// An application in PHP that knows nothing of Lazaret: curl, and PHP's own streams. Prints one JSON line a scenario.

const CLAUDE = ['x-api-key: sk-ant-api03-test', 'anthropic-version: 2023-06-01', 'content-type: application/json'];
const GPT = ['authorization: Bearer sk-proj-test', 'content-type: application/json'];

function post(string $url, string $body, array $fields, array $more = []): array
{
    $text = '';
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_HTTPHEADER => $fields,
        CURLOPT_WRITEFUNCTION => function ($curl, $part) use (&$text) {
            $text .= $part;
            return strlen($part);
        },
    ] + $more);
    if (!curl_exec($curl)) return ['error' => curl_error($curl)];
    return ['status' => curl_getinfo($curl, CURLINFO_RESPONSE_CODE), 'body' => $text];
}

function post_by_stream(string $url, string $body, array $fields): array
{
    $http = ['method' => 'POST', 'header' => $fields, 'content' => $body, 'ignore_errors' => true];
    $text = @file_get_contents($url, false, stream_context_create(['http' => $http]));
    if ($text === false) return ['error' => error_get_last()['message']];
    return ['status' => (int) explode(' ', $http_response_header[0])[1], 'body' => $text];
}

function say(string $name, array $result): void
{
    echo json_encode(['name' => $name] + $result, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}

$messages = 'https://api.anthropic.com/v1/messages';
$chat = 'https://api.openai.com/v1/chat/completions';
say('anthropic plain', post($messages, getenv('CLAUDE_PLAIN'), CLAUDE));
say('anthropic stream', post($messages, getenv('CLAUDE_STREAM'), CLAUDE));
say('anthropic plain by streams', post_by_stream($messages, getenv('CLAUDE_PLAIN'), CLAUDE));
say('openai plain', post($chat, getenv('GPT_PLAIN'), GPT));
say('openai stream', post($chat, getenv('GPT_STREAM'), GPT));
say('no agreement', post('https://api.mistral.ai/v1/chat/completions', getenv('GPT_PLAIN'), GPT));
say('own roots', post($messages, getenv('OWN_ROOTS_BODY'), CLAUDE, [CURLOPT_CAINFO => getenv('OWN_ROOTS')]));
