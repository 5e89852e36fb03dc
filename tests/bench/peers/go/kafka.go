package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kafka publishes to one topic. By franz-go's defaults all replicas in sync acknowledge, the producer is idempotent,
// and a key's partition is the one that Java's client would choose.
type kafka struct {
	client *kgo.Client
	topic  string
}

func connectKafka(brokers, topic string) (publisher, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers),
		// The one setting that is not the default (10 ms): a handler that awaits each record would wait that long
		// for records which are not coming. What gathers while a batch is on its way still shares the next.
		kgo.ProducerLinger(0),
	)
	return &kafka{client, topic}, err
}

func (k *kafka) publish(ctx context.Context, key string, body []byte) error {
	return k.client.ProduceSync(ctx, &kgo.Record{Topic: k.topic, Key: []byte(key), Value: body}).FirstErr()
}
