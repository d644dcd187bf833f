// An application in Go that knows nothing of Lazaret: net/http, and the openai module. Prints one JSON line a scenario.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

type result struct {
	Name   string `json:"name"`
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	Value  string `json:"value,omitempty"`
	Error  string `json:"error,omitempty"`
}

func say(name string, told result) {
	told.Name = name
	line, _ := json.Marshal(told)
	fmt.Println(string(line))
}

func post(client *http.Client, url, body string) result {
	request, err := http.NewRequest("POST", url, strings.NewReader(os.Getenv(body)))
	if err != nil {
		return result{Error: err.Error()}
	}
	request.Header.Set("content-type", "application/json")
	request.Header.Set("anthropic-version", "2023-06-01")
	request.Header.Set("x-api-key", "sk-ant-api03-test")
	answer, err := client.Do(request)
	if err != nil {
		return result{Error: err.Error()}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return result{Error: err.Error()}
	}
	return result{Status: answer.StatusCode, Body: string(text)}
}

func ofError(err error) result {
	var refused *openai.Error
	if errors.As(err, &refused) {
		return result{Status: refused.StatusCode, Error: refused.Message}
	}
	return result{Error: err.Error()}
}

func complete(client openai.Client) result {
	answer, err := client.Chat.Completions.New(context.Background(), params())
	if err != nil {
		return ofError(err)
	}
	return result{Value: answer.Choices[0].Message.Content}
}

func stream(client openai.Client) result {
	events := client.Chat.Completions.NewStreaming(context.Background(), params())
	text := ""
	for events.Next() {
		for _, choice := range events.Current().Choices {
			text += choice.Delta.Content
		}
	}
	if err := events.Err(); err != nil {
		return ofError(err)
	}
	return result{Value: text}
}

func params() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    os.Getenv("GPT"),
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(os.Getenv("NOTE"))},
	}
}

func ownRoots() *http.Client {
	file, _ := os.ReadFile(os.Getenv("OWN_ROOTS"))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(file)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

func main() {
	const messages = "https://api.anthropic.com/v1/messages"
	say("anthropic plain", post(http.DefaultClient, messages, "CLAUDE_PLAIN"))
	say("anthropic stream", post(http.DefaultClient, messages, "CLAUDE_STREAM"))
	client := openai.NewClient(option.WithAPIKey("sk-proj-test"))
	say("openai plain", complete(client))
	say("openai stream", stream(client))
	say("no agreement", complete(openai.NewClient(option.WithAPIKey("x"), option.WithBaseURL("https://api.mistral.ai/v1"))))
	say("own roots", post(ownRoots(), messages, "OWN_ROOTS_BODY"))
}
