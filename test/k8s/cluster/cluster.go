// Package cluster controls a Kubernetes cluster with kubectl and helm, as an
// operator would.
package cluster

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// Cluster is one namespace of the cluster in KUBECONFIG.
type Cluster struct {
	Namespace string
	forwards  sync.WaitGroup
}

// Wait returns when all forwarded ports are closed, which is some time after
// their contexts end.
func (c *Cluster) Wait() { c.forwards.Wait() }

// Require returns an error that says which of the programs is missing.
func Require(programs ...string) error {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing: install it and put it on PATH", program)
		}
	}
	return nil
}

// Kubectl runs kubectl in the namespace and returns its output.
func (c *Cluster) Kubectl(ctx context.Context, arguments ...string) (string, error) {
	return Run(ctx, "", "kubectl", append([]string{"-n", c.Namespace}, arguments...)...)
}

// Helm runs helm in the namespace and returns its output.
func (c *Cluster) Helm(ctx context.Context, arguments ...string) (string, error) {
	return Run(ctx, "", "helm", append([]string{"-n", c.Namespace}, arguments...)...)
}

// Apply applies objects. It returns kubectl's output, including warnings.
func (c *Cluster) Apply(ctx context.Context, objects string, arguments ...string) (string, error) {
	out, says, err := run(ctx, objects, "kubectl", append([]string{"-n", c.Namespace, "apply", "-f", "-"}, arguments...)...)
	return out + says, err
}

// Get decodes the output of kubectl get.
func (c *Cluster) Get(ctx context.Context, out any, arguments ...string) error {
	text, err := c.Kubectl(ctx, append([]string{"get", "-o", "json"}, arguments...)...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), out)
}

// Run runs a program and returns its output. Its error includes the program's
// standard error.
func Run(ctx context.Context, input, program string, arguments ...string) (string, error) {
	out, _, err := run(ctx, input, program, arguments...)
	return out, err
}

func run(ctx context.Context, input, program string, arguments ...string) (printed, says string, err error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), errs.String(), fmt.Errorf("%s %s: %w: %s", program, strings.Join(arguments, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), errs.String(), nil
}

// Pod is a pod as reported by Kubernetes.
type Pod struct {
	Metadata struct {
		Name              string            `json:"name"`
		UID               string            `json:"uid"`
		Labels            map[string]string `json:"labels"`
		DeletionTimestamp *time.Time        `json:"deletionTimestamp"`
	} `json:"metadata"`
	Status struct {
		Phase             string `json:"phase"`
		ContainerStatuses []struct {
			Ready        bool `json:"ready"`
			RestartCount int  `json:"restartCount"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// Ready reports whether all containers are ready.
func (p *Pod) Ready() bool {
	for _, c := range p.Status.ContainerStatuses {
		if !c.Ready {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0 && p.Metadata.DeletionTimestamp == nil
}

// Restarts sums the restarts of all containers.
func (p *Pod) Restarts() int {
	n := 0
	for _, c := range p.Status.ContainerStatuses {
		n += c.RestartCount
	}
	return n
}

// Pods lists the pods with a label, such as app.kubernetes.io/part-of=frontrow,
// except those that have completed.
func (c *Cluster) Pods(ctx context.Context, selector string) ([]Pod, error) {
	var list struct{ Items []Pod }
	err := c.Get(ctx, &list, "pods", "-l", selector, "--field-selector", "status.phase!=Succeeded")
	return list.Items, err
}

// Secret returns the values of a Secret.
func (c *Cluster) Secret(ctx context.Context, name string) (map[string]string, error) {
	var secret struct{ Data map[string]string }
	if err := c.Get(ctx, &secret, "secret", name); err != nil {
		return nil, err
	}
	for key, value := range secret.Data {
		plain, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, err
		}
		secret.Data[key] = string(plain)
	}
	return secret.Data, nil
}

// Until polls every half second until the condition holds.
func Until(ctx context.Context, timeout time.Duration, what string, condition func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var last error
	for {
		done, err := condition(ctx)
		if done && err == nil {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		if !clock.Sleep(ctx, 500*time.Millisecond) {
			return errors.Join(fmt.Errorf("timed out after %s waiting for %s", timeout, what), last)
		}
	}
}
