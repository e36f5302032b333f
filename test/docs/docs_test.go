package docs

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// services are the folders in services, and what the tables of metrics call
// them.
var services = map[string]string{
	"api-gateway": "gateway", "auth-service": "auth", "event-service": "event", "booking-service": "booking", "payment-service": "payment",
	"notification-service": "notification", "psp-simulator": "psp",
}

// shared are the sections of reference.md with the variables that pkg reads.
var shared = []string{"All services", "Kafka"}

func TestReferenceListsEveryVariable(t *testing.T) {
	documented := map[string]map[string]variable{}
	for title, rows := range tables(t, "docs/reference.md") {
		documented[title] = map[string]variable{}
		for _, row := range rows {
			for _, v := range variablesIn(row) {
				documented[title][v.name] = v
			}
		}
	}
	inPkg := map[string]variable{}
	for _, section := range shared {
		for name, v := range documented[section] {
			inPkg[name] = v
		}
	}
	check := func(folder string, got map[string]variable) {
		want := map[string]variable{}
		for _, v := range must(read(folder))(t).variables {
			v.required = v.required || want[v.name].required // another command may do without
			want[v.name] = v
		}
		if len(want) == 0 {
			t.Errorf("%s reads no variables", folder)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(variable{})); diff != "" {
			t.Errorf("docs/reference.md differs from %s (-code +docs):\n%s", folder, diff)
		}
	}
	check("pkg", inPkg)
	for service := range services {
		check("services/"+service, documented[service])
	}
}

// variablesIn returns the variables of a row: names, default, meaning.
func variablesIn(row []string) []variable {
	var vs []variable
	fallbacks := code(row[1])
	for i, name := range code(row[0]) {
		v := variable{name: name, required: row[1] == "required"}
		if i < len(fallbacks) {
			v.fallback = fallbacks[i]
		}
		vs = append(vs, v)
	}
	return vs
}

func TestReferenceListsEveryMetric(t *testing.T) {
	documented := map[string]string{}
	for _, row := range tables(t, "docs/reference.md")["Metrics"] {
		for _, name := range code(row[0]) {
			if strings.Contains(name, "_") {
				documented[name] = row[1]
			}
		}
	}
	var known []string
	for _, folder := range []string{"pkg", "services"} {
		known = append(known, must(read(folder))(t).metrics...)
	}
	for name := range documented {
		if !slices.Contains(known, name) {
			t.Errorf("docs/reference.md lists %s, which no service has", name)
		}
	}
	for _, name := range known {
		if documented[name] == "" {
			t.Errorf("docs/reference.md does not list the metric %s", name)
		}
	}
	for service, short := range services {
		for _, name := range must(read("services/" + service))(t).metrics {
			if !strings.Contains(documented[name], short) && documented[name] != "all" {
				t.Errorf("docs/reference.md says that %s is of %s; %s has it", name, documented[name], service)
			}
		}
	}
}

func TestReferenceListsEveryTopic(t *testing.T) {
	var documented []string
	for _, row := range tables(t, "docs/reference.md")["Topics"] {
		documented = append(documented, code(row[0])...)
	}
	var topics []string
	for _, match := range regexp.MustCompile(`(?m)^\tTopic\w+ += "(\w+)"`).FindAllStringSubmatch(text(t, "api/events/events.go"), -1) {
		topics = append(topics, match[1])
	}
	slices.Sort(documented)
	slices.Sort(topics)
	if diff := cmp.Diff(topics, documented); diff != "" {
		t.Errorf("topics (-code +docs):\n%s", diff)
	}
}

// The texts in bold are those that the app and its mails show.
func TestTutorialQuotesTheWebAppAndTheMails(t *testing.T) {
	var messages []*regexp.Regexp
	for _, file := range must(filepath.Glob(filepath.Join(root, "web/src/messages/en/*.json")))(t) {
		var texts map[string]string
		if err := json.Unmarshal(must(os.ReadFile(file))(t), &texts); err != nil {
			t.Fatal(err)
		}
		for _, message := range texts {
			pattern := regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(message), ".+")
			messages = append(messages, regexp.MustCompile("^"+pattern+"$"))
		}
	}
	define := regexp.MustCompile(`(?m)\{\{define "(?:subject|title|button)"\}\}(.+)\{\{end\}\}$`)
	for _, file := range must(filepath.Glob(filepath.Join(root, "services/notification-service/internal/mail/templates/en/*.tmpl")))(t) {
		for _, match := range define.FindAllSubmatch(must(os.ReadFile(file))(t), -1) {
			pattern := regexp.MustCompile(`\\\{\\\{.+?\\\}\\\}`).ReplaceAllString(regexp.QuoteMeta(string(match[1])), ".*")
			messages = append(messages, regexp.MustCompile("^"+pattern+"$"))
		}
	}
	quotes := regexp.MustCompile(`(?s)\*\*(.+?)\*\*`).FindAllStringSubmatch(text(t, "docs/tutorial.md"), -1)
	if len(quotes) < 20 {
		t.Errorf("docs/tutorial.md quotes %d texts", len(quotes))
	}
	for _, quote := range quotes {
		words := strings.Join(strings.Fields(quote[1]), " ")
		if !slices.ContainsFunc(messages, func(m *regexp.Regexp) bool { return m.MatchString(words) }) {
			t.Errorf("docs/tutorial.md quotes %q, which neither web/src/messages/en nor a mail has", words)
		}
	}
}

func TestTutorialNamesTheAdmin(t *testing.T) {
	tutorial, compose := text(t, "docs/tutorial.md"), text(t, "docker-compose.yml")
	for _, variable := range []string{"ADMIN_EMAIL", "ADMIN_PASSWORD"} {
		match := regexp.MustCompile(`\$\{` + variable + `:-([^}]+)\}`).FindStringSubmatch(compose)
		if match == nil || !strings.Contains(tutorial, "`"+match[1]+"`") {
			t.Errorf("docs/tutorial.md lacks docker-compose.yml's %s: %q", variable, match)
		}
	}
}

// A name without a folder is in the folder of the file before it; internal/ is
// in the service before it.
func TestArchitectureNamesFilesThatExist(t *testing.T) {
	n := 0
	for _, rows := range tables(t, "docs/architecture.md") {
		folder := ""
		for _, row := range rows {
			for _, name := range code(row[len(row)-1]) {
				switch {
				case !strings.HasSuffix(name, ".go"):
					continue
				case strings.HasPrefix(name, "internal/"):
					service, _, _ := strings.Cut(folder, "/internal/")
					name = service + "/" + name
				case !strings.Contains(name, "/"):
					name = folder + "/" + name
				}
				if _, err := os.Stat(filepath.Join(root, name)); err != nil {
					t.Error(err)
				}
				if strings.HasPrefix(name, "services/") {
					folder = path.Dir(name)
				}
				n++
			}
		}
	}
	if n < 20 {
		t.Errorf("docs/architecture.md names %d files in its tables", n)
	}
}

// named matches what the pages name: paths from the root of the repository, and
// targets of the Makefile.
var named = regexp.MustCompile("(?m)(?:^|[\\s`(])((?:api|charts|docs|k8s|observability|pkg|services|test|tilt|tools|web)/[\\w./-]*\\w)([^\\w]|$)" +
	"|(?:^|`)make ([a-z0-9-]+)")

// Superseded decisions and the changelog may name what no longer exists.
func TestPagesNamePathsAndTargetsThatExist(t *testing.T) {
	makefile := text(t, "Makefile")
	n := 0
	for _, name := range pages(t) {
		page := text(t, name)
		if name == "CHANGELOG.md" || strings.Contains(page, "**Superseded by") {
			continue
		}
		for _, match := range named.FindAllStringSubmatch(page, -1) {
			n++
			switch file, next, target := match[1], match[2], match[3]; {
			case strings.ContainsAny(next, "<$*{…"): // a pattern, not a name
			case target != "":
				if !strings.Contains(makefile, "\n"+target+":") {
					t.Errorf("%s: the Makefile has no target %s", name, target)
				}
			default:
				if _, err := os.Stat(filepath.Join(root, file)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if n < 50 {
		t.Errorf("the pages name %d paths and targets", n)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)|runbook_url: (\S+)`)

func TestLinksLeadSomewhere(t *testing.T) {
	n := 0
	for _, name := range append(pages(t), "charts/frontrow/files/alerts.yaml") {
		folder := path.Dir(name)
		if path.Ext(name) == ".yaml" {
			folder = "."
		}
		for _, match := range link.FindAllStringSubmatch(withoutCode(text(t, name)), -1) {
			to, anchor, _ := strings.Cut(match[1]+match[2], "#")
			if strings.Contains(to, "://") {
				continue
			}
			n++
			target := name
			if to != "" {
				target = path.Join(folder, to)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %v", name, err)
			} else if anchor != "" && !slices.Contains(anchors(text(t, target)), anchor) {
				t.Errorf("%s: %s has no section %s", name, target, anchor)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d links", n)
	}
}

// pages returns the Markdown files of the repository.
func pages(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (name == "web/node_modules" || name != "." && strings.HasPrefix(entry.Name(), ".")) {
			return fs.SkipDir
		}
		if err == nil && path.Ext(name) == ".md" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(page string) (all []string) {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(withoutCode(page), -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}

func withoutCode(page string) string {
	return regexp.MustCompile("(?ms)^ *```.*?^ *```").ReplaceAllString(page, "")
}

// tables returns the rows of a page's tables, without their heads, by the
// heading above them.
func tables(t *testing.T, name string) map[string][][]string {
	t.Helper()
	all := map[string][][]string{}
	title := ""
	for line := range strings.Lines(text(t, name)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			title = strings.TrimLeft(line, "# ")
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| variable |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all[title] = append(all[title], cells)
	}
	return all
}

// code returns the words of a cell that are set as code.
func code(cell string) (words []string) {
	for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
		words = append(words, match[1])
	}
	return words
}

func text(t *testing.T, name string) string {
	t.Helper()
	return string(must(os.ReadFile(filepath.Join(root, name)))(t))
}

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
