package main

import (
	"context"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// nats publishes below one subject of a JetStream stream, by nats.go's defaults.
type nats struct {
	stream jetstream.JetStream
	prefix string
}

func connectNATS(url, prefix string) (publisher, error) {
	connection, err := natsgo.Connect(url)
	if err != nil {
		return nil, err
	}
	stream, err := jetstream.New(connection)
	return &nats{stream, prefix}, err
}

func (n *nats) publish(ctx context.Context, key string, body []byte) error {
	_, err := n.stream.Publish(ctx, n.prefix+"."+key, body)
	return err
}
