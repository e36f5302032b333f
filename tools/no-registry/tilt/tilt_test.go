// Package tilt runs the Tiltfile like Tilt, with fakes of Tilt's functions that
// record their calls.
package tilt

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"go.yaml.in/yaml/v3"
)

const root = "../../.."

// The names in Helm's output, the Tiltfile's resources and the images must
// agree.
func TestTiltfile(t *testing.T) {
	for _, args := range []map[string]bool{{}, {"operators": true}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			w := run(t, root, args)
			for resource := range w.resources {
				if !slices.ContainsFunc(w.objects, func(o object) bool { return o.workload() && o.Metadata.Name == resource }) {
					t.Errorf("k8s_resource %s: the charts make no such workload", resource)
				}
			}
			for _, o := range w.objects {
				for _, image := range o.images() {
					if strings.HasPrefix(image, "frontrow/") && !w.images[strings.Split(image, ":")[0]] {
						t.Errorf("%s %s wants the image %s, which is not built", o.Kind, o.Metadata.Name, image)
					}
				}
			}
			for resource, needs := range w.needs {
				for _, needed := range needs {
					if !w.resources[needed] && !w.local[needed] {
						t.Errorf("%s waits for %s, which there is not", resource, needed)
					}
				}
			}
			if len(w.images) != 7 || len(w.objects) < 40 {
				t.Errorf("%d images, %d objects", len(w.images), len(w.objects))
			}
		})
	}
}

// A renamed chart or a missing file must be noticed.
func TestRenamedChartIsNoticed(t *testing.T) {
	copied := t.TempDir()
	for _, name := range []string{"Tiltfile", "tilt", "charts", "k8s"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(copied, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-r", filepath.Join(root, name), filepath.Join(copied, name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := os.Rename(filepath.Join(copied, "charts/frontrow-data"), filepath.Join(copied, "charts/backends")); err != nil {
		t.Fatal(err)
	}
	_, err := execute(t, copied, nil)
	if err == nil || !strings.Contains(err.Error(), "charts/frontrow-data") {
		t.Errorf("got %v, want an error that names the chart", err)
	}
}

func run(t *testing.T, folder string, args map[string]bool) *world {
	t.Helper()
	w, err := execute(t, folder, args)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// world records the Tiltfile's calls.
type world struct {
	folder           string
	args             map[string]bool
	objects          []object
	images           map[string]bool
	resources, local map[string]bool
	needs            map[string][]string
}

type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Template struct {
			Spec struct{ Containers, InitContainers []struct{ Image string } }
		}
	}
}

func (o object) workload() bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "Pod"}, o.Kind)
}

func (o object) images() (images []string) {
	for _, c := range slices.Concat(o.Spec.Template.Spec.Containers, o.Spec.Template.Spec.InitContainers) {
		images = append(images, c.Image)
	}
	return images
}

func execute(t *testing.T, folder string, args map[string]bool) (*world, error) {
	t.Helper()
	w := &world{
		folder: folder, args: args, images: map[string]bool{}, resources: map[string]bool{}, local: map[string]bool{},
		needs: map[string][]string{},
	}
	functions := starlark.StringDict{"TRIGGER_MODE_MANUAL": starlark.MakeInt(1), "config": config{w}}
	for name, f := range map[string]func(call) (starlark.Value, error){
		"helm": w.helm, "k8s_yaml": w.k8sYAML, "k8s_resource": w.k8sResource, "local_resource": w.localResource, "local": w.runLocal,
		"watch_file": w.file, "sync": w.nothing, "link": w.nothing, "allow_k8s_contexts": w.nothing,
	} {
		functions[name] = builtin(name, f)
	}
	extensions := map[string]starlark.StringDict{
		"ext://restart_process": {"docker_build_with_restart": builtin("docker_build_with_restart", w.dockerBuild)},
		"ext://helm_resource":   {"helm_resource": builtin("helm_resource", w.helmResource), "helm_repo": builtin("helm_repo", w.helmRepo)},
	}
	thread := &starlark.Thread{Name: "Tiltfile", Load: func(_ *starlark.Thread, module string) (starlark.StringDict, error) {
		if e, ok := extensions[module]; ok {
			return e, nil
		}
		return nil, fmt.Errorf("there is no extension %s", module)
	}}
	options := &syntax.FileOptions{TopLevelControl: true, GlobalReassign: true}
	_, err := starlark.ExecFileOptions(options, thread, filepath.Join(folder, "Tiltfile"), nil, functions)
	return w, err
}

// call holds a call's arguments.
type call struct {
	args   starlark.Tuple
	kwargs map[string]starlark.Value
}

func (c call) text(i int) string {
	s, _ := starlark.AsString(c.args[i])
	return s
}

func (c call) named(name string) string {
	s, _ := starlark.AsString(c.kwargs[name])
	return s
}

// texts returns the texts of a list, or of one string.
func texts(v starlark.Value) (list []string) {
	if s, ok := starlark.AsString(v); ok {
		return []string{s}
	}
	if sequence, ok := v.(starlark.Iterable); ok {
		for e := range starlark.Elements(sequence) {
			s, _ := starlark.AsString(e)
			list = append(list, s)
		}
	}
	return list
}

func builtin(name string, f func(call) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		c := call{args, map[string]starlark.Value{}}
		for _, pair := range kwargs {
			key, _ := starlark.AsString(pair[0])
			c.kwargs[key] = pair[1]
		}
		return f(c)
	})
}

// config is Tilt's config: the flags after `--`.
type config struct{ w *world }

func (config) String() string        { return "config" }
func (config) Type() string          { return "config" }
func (config) Freeze()               {}
func (config) Truth() starlark.Bool  { return true }
func (config) Hash() (uint32, error) { return 0, nil }
func (config) AttrNames() []string   { return []string{"define_bool", "parse"} }

// Attr returns a function.
func (c config) Attr(name string) (starlark.Value, error) {
	switch name {
	case "define_bool":
		return builtin(name, c.w.nothing), nil
	case "parse":
		return builtin(name, func(call) (starlark.Value, error) {
			parsed := starlark.NewDict(1)
			for flag, value := range c.w.args {
				if err := parsed.SetKey(starlark.String(flag), starlark.Bool(value)); err != nil {
					return nil, err
				}
			}
			return parsed, nil
		}), nil
	}
	return nil, nil //nolint:nilnil // means "no such attribute" in Starlark
}

func (w *world) nothing(call) (starlark.Value, error) { return starlark.None, nil }

func (w *world) exists(path string) error {
	_, err := os.Stat(filepath.Join(w.folder, path))
	return err
}

func (w *world) file(c call) (starlark.Value, error) { return starlark.None, w.exists(c.text(0)) }

func (w *world) helm(c call) (starlark.Value, error) {
	args := []string{"template", c.named("name"), c.text(0), "--namespace", "default", "--kube-version", c.named("kube_version")}
	for _, values := range texts(c.kwargs["values"]) {
		args = append(args, "--values", values)
	}
	out, err := w.command(helmProgram(), args...)
	return starlark.String(out), err
}

func helmProgram() string {
	if program := os.Getenv("FRONTROW_HELM"); program != "" {
		return program
	}
	return "helm"
}

func (w *world) command(program string, args ...string) (string, error) {
	command := exec.Command(program, args...)
	command.Dir = w.folder
	command.Env = append(os.Environ(), "PATH="+filepath.Dir(helmProgram())+":"+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func (w *world) k8sYAML(c call) (starlark.Value, error) {
	for _, given := range texts(c.args[0]) {
		if !strings.Contains(given, "\n") {
			content, err := os.ReadFile(filepath.Join(w.folder, given))
			if err != nil {
				return nil, err
			}
			given = string(content)
		}
		decoder := yaml.NewDecoder(strings.NewReader(given))
		for {
			var o object
			if err := decoder.Decode(&o); err != nil {
				break
			}
			if o.Kind != "" {
				w.objects = append(w.objects, o)
			}
		}
	}
	return starlark.None, nil
}

func (w *world) k8sResource(c call) (starlark.Value, error) {
	name := c.text(0)
	w.resources[name] = true
	w.needs[name] = append(w.needs[name], texts(c.kwargs["resource_deps"])...)
	return starlark.None, nil
}

var program = regexp.MustCompile(`^tilt/[a-z]+`)

func (w *world) localResource(c call) (starlark.Value, error) {
	w.local[c.text(0)] = true
	for _, dependency := range texts(c.kwargs["deps"]) {
		// A copied Tiltfile has no service sources beside it.
		if err := w.exists(dependency); err != nil && w.folder == root {
			return nil, err
		}
	}
	return starlark.None, w.exists(program.FindString(c.text(1)))
}

// runLocal runs the one command that the charts need first.
func (w *world) runLocal(c call) (starlark.Value, error) {
	_, err := w.command("./" + c.text(0))
	return starlark.String(""), err
}

func (w *world) dockerBuild(c call) (starlark.Value, error) {
	w.images[c.text(0)] = true
	return starlark.None, w.exists(c.named("dockerfile"))
}

func (w *world) helmRepo(c call) (starlark.Value, error) {
	w.local[c.text(0)] = true
	return starlark.None, nil
}

func (w *world) helmResource(c call) (starlark.Value, error) {
	w.local[c.text(0)] = true
	w.needs[c.text(0)] = texts(c.kwargs["resource_deps"])
	for _, dependency := range texts(c.kwargs["deps"]) {
		if err := w.exists(dependency); err != nil {
			return nil, err
		}
	}
	return starlark.None, nil
}
