package main

const (
	seconds = "s"
	perSec  = "ops"
	count   = "short"
	bytes   = "bytes"
)

// here selects the namespace that is looked at.
const here = `namespace=~"$namespace"`

// rate is the rate of a counter by labels.
func rate(counter, selector, by string) string {
	if selector != "" {
		selector += ","
	}
	return "sum by (" + by + ") (rate(" + counter + "{" + selector + here + "}[$__rate_interval]))"
}

// quantile of a histogram by labels.
func quantile(q, histogram, selector, by string) string {
	if by != "" {
		by += ","
	}
	return "histogram_quantile(" + q + ", " + rate(histogram+"_bucket", selector, by+"le") + ")"
}

// quantiles are the median and the slowest hundredth.
func quantiles(histogram, selector string) []query {
	return []query{{"median", quantile("0.5", histogram, selector, "")}, {"99 %", quantile("0.99", histogram, selector, "")}}
}

const bookings = `job="api-gateway",route="/api/v1/bookings",method="POST"`

var boards = []board{
	{"on-sale", "On-sale", []row{
		{"What buyers get", []panel{
			{
				"Holds", perSec, "Answers to POST /bookings: 201 held, 409 taken by others, 429 too many requests, 503 too busy or a part is down.",
				[]query{{"{{code}}", rate("http_request_duration_seconds_count", bookings, "code")}},
			},
			{"Time of a hold", seconds, "As the gateway sees it, refused ones included.", quantiles("http_request_duration_seconds", bookings)},
			{
				"Seats", perSec, "Seats that changed hands: held, sold, available again.",
				[]query{{"{{state}}", rate("seat_changes_total", "", "state")}},
			},
			{
				"Sold since the replicas started", count, "Seats; those given back are not taken off.",
				[]query{{"sold", `sum(seat_changes_total{state="sold",` + here + `})`}},
			},
		}},
		{"Where a hold's time goes", []panel{
			{"Waiting for a round, the median", seconds, "", []query{{"{{outcome}}", quantile("0.5", "seat_lock_duration_seconds", `stage="queue"`, "outcome")}}},
			{"Round, 99 %", seconds, "Decided and appended to the log.", []query{{"{{outcome}}", quantile("0.99", "seat_lock_duration_seconds", `stage="append"`, "outcome")}}},
			{"In all, 99 %", seconds, "", []query{{"{{outcome}}", quantile("0.99", "seat_lock_duration_seconds", `stage="total"`, "outcome")}}},
		}},
		{"Group commit", []panel{
			{
				"Operations a round", count, "The more, the cheaper each is. Near 1 under load: the gateways do not agree on who owns the events.",
				[]query{{"on average", rate("log_round_operations_sum", "", "namespace") + " / " + rate("log_round_operations_count", "", "namespace")}},
			},
			{
				"Rounds", perSec, "lost: another replica appends to the same event; unknown: Cassandra answered late.",
				[]query{{"{{outcome}}", rate("log_appends_total", "", "outcome")}},
			},
			{
				"Queue", count, "Holds that are being made, and watchers of seats.",
				[]query{{"holds in flight", "sum(holds_in_flight{" + here + "})"}, {"watchers", "sum(seat_stream_watchers{" + here + "})"}},
			},
		}},
		{"Waiting rooms", []panel{
			{"People in queues", count, "Called: it is their turn. Shopping: admitted, without seats. Holding: admitted, with seats.", []query{
				{"{{state}}", "sum by (state) (queue_people{" + here + "})"},
			}},
			{"Crowd limit", count, "How many people the controllers let shop at once.", []query{{"limit", "sum(queue_crowd_limit{" + here + "})"}}},
			{"Watchers of queues", count, "Open queue streams.", []query{{"watchers", "sum(queue_stream_watchers{" + here + "})"}}},
		}},
		{"Refused requests", []panel{
			{"Refused", perSec, "By a limit of requests a session or an address has, because the gateway is full, or because the event has a queue.", []query{
				{"limit by {{by}}", rate("gateway_rate_limited_total", "", "by")},
				{"overload", rate("gateway_overload_refused_total", "", "namespace")},
				{"not admitted", rate("gateway_queue_refused_total", "", "namespace")},
			}},
		}},
	}},
	{"saga", "Saga", []row{
		{"From a hold to its end", []panel{
			{"Bookings by what became of them", perSec, "", []query{{"{{outcome}}", rate("booking_saga_duration_seconds_count", "", "outcome")}}},
			{
				"Time to it, 99 %", seconds, "Expired bookings take as long as the event lets seats be held.",
				[]query{{"{{outcome}}", quantile("0.99", "booking_saga_duration_seconds", "", "outcome")}},
			},
			{"Holds that end late", seconds, "After the deadline.", quantiles("hold_expiry_lag_seconds", "")},
		}},
		{"Messages", []panel{
			{"Oldest message not sent", seconds, "", []query{{"{{job}}", "max by (job) (outbox_lag_seconds{" + here + "})"}}},
			{"Messages not handled", count, "", []query{{"{{group}} {{topic}}", "sum by (group, topic) (consumer_lag{" + here + "})"}}},
			{
				"Handled", perSec, "retried: an attempt failed; dlq: nobody can handle it.",
				[]query{{"{{group}} {{outcome}}", rate("consumer_messages_total", "", "group, outcome")}},
			},
			{"Sent", perSec, "", []query{{"{{topic}} {{outcome}}", rate("producer_messages_total", "", "topic, outcome")}}},
		}},
		{"Mail", []panel{
			{"Mails", perSec, "retried: the mail server did not take it yet; dead: given up.", []query{{"{{kind}} {{outcome}}", rate("notification_mails_total", "", "kind, outcome")}}},
			{"Oldest mail not sent", seconds, "", []query{{"oldest", "max(notification_mail_oldest_due_seconds{" + here + "})"}}},
		}},
		{"Money", []panel{
			{"Calls of the provider", perSec, "", []query{{"{{outcome}}", rate("provider_request_duration_seconds_count", "", "outcome")}}},
			{"Ledger drift", count, "Minor units; back to 0 within minutes.", []query{{"drift", "max(abs(ledger_drift{" + here + "}))"}}},
			{"Reconciler", perSec, "", []query{
				{"repaired", rate("reconciler_repairs_total", "", "namespace")}, {"given up", rate("reconciler_alerts_total", "", "namespace")},
			}},
			{"Seats sold twice", count, "Must be 0.", []query{{"seats", "sum(oversold_seats_total{" + here + "})"}}},
		}},
	}},
	{"services", "Services", []row{
		{"Rate, errors, duration", []panel{
			{"Requests", perSec, "", []query{{"{{job}}", rate("http_request_duration_seconds_count", "", "job")}}},
			{"Failed", perSec, "Answers 5xx.", []query{{"{{job}}", rate("http_request_duration_seconds_count", `code=~"5.."`, "job") + " or 0 * " + rate("http_request_duration_seconds_count", "", "job")}}},
			{"99 % are faster than", seconds, "Streams are left out.", []query{{"{{job}}", quantile("0.99", "http_request_duration_seconds", `route!~".*/stream"`, "job")}}},
		}},
		{"Saturation", []panel{
			{"Processor", "percentunit", "Of one.", []query{{"{{job}} {{instance}}", rate("process_cpu_seconds_total", "", "job, instance")}}},
			{"Memory", bytes, "Resident.", []query{{"{{job}} {{instance}}", "process_resident_memory_bytes{" + here + "}"}}},
			{"Goroutines", count, "", []query{{"{{job}} {{instance}}", "go_goroutines{" + here + "}"}}},
			{"Paused for garbage, the longest", seconds, "", []query{{"{{job}} {{instance}}", `go_gc_duration_seconds{quantile=~"1(.0)?",` + here + "}"}}},
		}},
		{"The gateway and those behind it", []panel{
			{"Attempts", perSec, "", []query{{"{{service}} {{outcome}}", rate("gateway_upstream_attempts_total", "", "service, outcome")}}},
			{"Log-ins", perSec, "", []query{{"{{outcome}}", rate("auth_logins_total", "", "outcome")}}},
		}},
	}},
	{"backends", "Backends, as the services see them", []row{
		{"Cassandra and Redis", []panel{
			{"Rounds of Cassandra", perSec, "", []query{{"{{outcome}}", rate("log_appends_total", "", "outcome")}}},
			{"Time of a round", seconds, "", quantiles("seat_lock_duration_seconds", `stage="append"`)},
			{"Time to append an entry", seconds, "", quantiles("log_append_duration_seconds", "")},
		}},
		{"Kafka and the provider", []panel{
			{"Records acknowledged and failed", perSec, "", []query{{"{{outcome}}", rate("producer_messages_total", "", "outcome")}}},
			{"Records a batch", count, "Handled together.", []query{{"{{group}}", rate("consumer_batch_size_sum", "", "group") + " / " + rate("consumer_batch_size_count", "", "group")}}},
			{"Time of a call of the provider", seconds, "", quantiles("provider_request_duration_seconds", "")},
		}},
	}},
}
