package challenge

import (
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
)

func TestNewRefusesWrongConfiguration(t *testing.T) {
	for name, test := range map[string]struct {
		vars map[string]string
		want string
	}{
		"negative bits":           {map[string]string{"QUEUE_POW_BITS": "-1"}, "QUEUE_POW_BITS"},
		"too many bits":           {map[string]string{"QUEUE_POW_BITS": "33"}, "QUEUE_POW_BITS"},
		"a secret alone":          {map[string]string{"QUEUE_TURNSTILE_SECRET": "s"}, "QUEUE_TURNSTILE_SITE_KEY"},
		"a site key alone":        {map[string]string{"QUEUE_TURNSTILE_SITE_KEY": "k"}, "QUEUE_TURNSTILE_SECRET"},
		"a widget without script": {map[string]string{"QUEUE_TURNSTILE_SECRET": "s", "QUEUE_TURNSTILE_SITE_KEY": "k"}, "QUEUE_TURNSTILE_SCRIPT"},
		"a script without host":   {map[string]string{"QUEUE_TURNSTILE_SECRET": "s", "QUEUE_TURNSTILE_SITE_KEY": "k", "QUEUE_TURNSTILE_SCRIPT": "/x"}, "QUEUE_TURNSTILE_SCRIPT"},
		"a URL without host": {map[string]string{
			"QUEUE_TURNSTILE_SECRET": "s", "QUEUE_TURNSTILE_SITE_KEY": "k", "QUEUE_TURNSTILE_SCRIPT": "https://provider/x.js", "QUEUE_TURNSTILE_URL": "/x",
		}, "QUEUE_TURNSTILE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(parse(t, test.vars), nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %s", err, test.want)
			}
		})
	}
}

func parse(t *testing.T, vars map[string]string) Config {
	t.Helper()
	cfg, err := env.ParseAsWithOptions[Config](env.Options{Environment: vars})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
