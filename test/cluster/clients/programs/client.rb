# An application in Ruby that knows nothing of Lazaret: net/http as it comes. Prints one JSON line a scenario.
require 'json'
require 'net/http'

def post(host, path, body, fields, own_roots: nil)
  http = Net::HTTP.new(host, 443)
  http.use_ssl = true
  http.ca_file = own_roots if own_roots
  http.start do
    request = Net::HTTP::Post.new(path, fields.merge('content-type' => 'application/json'))
    request.body = body
    text = +''
    answer = http.request(request) { |response| response.read_body { |part| text << part } }
    { status: answer.code.to_i, body: text.force_encoding('UTF-8') }
  end
end

def run(name)
  puts JSON.generate({ name: name, **yield })
rescue StandardError => error
  puts JSON.generate({ name: name, error: error.message })
ensure
  $stdout.flush
end

CLAUDE = { 'x-api-key' => 'sk-ant-api03-test', 'anthropic-version' => '2023-06-01' }.freeze
GPT = { 'authorization' => 'Bearer sk-proj-test' }.freeze
CHAT = '/v1/chat/completions'

run('anthropic plain') { post('api.anthropic.com', '/v1/messages', ENV['CLAUDE_PLAIN'], CLAUDE) }
run('anthropic stream') { post('api.anthropic.com', '/v1/messages', ENV['CLAUDE_STREAM'], CLAUDE) }
run('openai plain') { post('api.openai.com', CHAT, ENV['GPT_PLAIN'], GPT) }
run('openai stream') { post('api.openai.com', CHAT, ENV['GPT_STREAM'], GPT) }
run('no agreement') { post('api.mistral.ai', CHAT, ENV['GPT_PLAIN'], GPT) }
run('own roots') { post('api.anthropic.com', '/v1/messages', ENV['OWN_ROOTS_BODY'], CLAUDE, own_roots: ENV['OWN_ROOTS']) }
