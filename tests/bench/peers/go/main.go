// Command peer is the receiver that a team would write instead of running Hookway: it verifies GitHub's signature over
// the raw body, publishes the body keyed by the issue, and answers 200 when the broker has acknowledged it. The bench
// measures it beside Hookway.
//
//	peer kafka BROKERS TOPIC
//	peer nats URL SUBJECT_PREFIX
//
// PEER_SECRET holds the secret that is shared with GitHub.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// What GitHub sends at most, in bytes.
const maxBody = 25 << 20

// publisher returns when the broker has acknowledged the body.
type publisher interface {
	publish(ctx context.Context, key string, body []byte) error
}

func main() {
	secret := os.Getenv("PEER_SECRET")
	if len(os.Args) != 4 || secret == "" {
		log.Fatal("usage: PEER_SECRET=… peer kafka BROKERS TOPIC | peer nats URL SUBJECT_PREFIX")
	}
	bus, err := connect(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// The line by which the bench finds every server.
	fmt.Fprintf(os.Stderr, `{"message":"listening","listener":"webhooks","address":%q}`+"\n", listener.Addr())
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/bench", &receiver{secret: []byte(secret), bus: bus})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

func connect(kind, address, to string) (publisher, error) {
	switch kind {
	case "kafka":
		return connectKafka(address, to)
	case "nats":
		return connectNATS(address, to)
	default:
		return nil, fmt.Errorf("no such broker: %s", kind)
	}
}

// receiver takes GitHub's webhooks.
type receiver struct {
	secret []byte
	bus    publisher
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		http.Error(w, "the body can't be read", http.StatusBadRequest)
		return
	}
	if !r.verify(request.Header.Get("X-Hub-Signature-256"), body) {
		http.Error(w, "the signature is wrong", http.StatusUnauthorized)
		return
	}
	key, err := issue(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := r.bus.publish(request.Context(), key, body); err != nil {
		slog.Error("not published", "error", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (r *receiver) verify(signature string, body []byte) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, r.secret)
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}

// issue returns the key of the issue that the event is about.
func issue(body []byte) (string, error) {
	var event struct {
		Issue struct {
			Number int64 `json:"number"`
		} `json:"issue"`
		Repository struct {
			ID int64 `json:"id"`
		} `json:"repository"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return "", err
	}
	if event.Repository.ID == 0 || event.Issue.Number == 0 {
		return "", errors.New("the event is about no issue")
	}
	return fmt.Sprintf("issue:%d:%d", event.Repository.ID, event.Issue.Number), nil
}
