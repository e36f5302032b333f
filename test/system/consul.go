package system

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// PassingInstances returns the number of a service's healthy instances in
// Consul.
func (s *System) PassingInstances(ctx context.Context, service string) (int, error) {
	address := "http://" + s.Consul + "/v1/health/service/" + url.PathEscape(service) + "?passing=true"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("consul: %s", resp.Status)
	}
	var instances []json.RawMessage
	err = json.NewDecoder(resp.Body).Decode(&instances)
	return len(instances), err
}
