#!/usr/bin/env bash
# A real single-node Kubernetes, built from Go modules and Debian packages alone.
#
#   cluster.sh install            Debian packages: containerd, runc, CNI plugins, iptables, ...
#   cluster.sh build              binaries and images into $KUBE_CACHE (skipped when there)
#   cluster.sh up                 start the node and wait until it is Ready and DNS answers
#   cluster.sh load TAR...        give the node an image: a docker-archive or OCI tar
#   cluster.sh image [options] NAME OUT.tar FILE[=DEST]...   make an image tar from files, with no docker
#   cluster.sh exec CMD...        run CMD inside the node's namespaces, KUBECONFIG set
#   cluster.sh forward PORT HOST:PORT   127.0.0.1:PORT here -> HOST:PORT inside the node
#   cluster.sh cores N            have all pods share N cores from now on
#   cluster.sh status             what runs, and the memory it uses
#   cluster.sh down               stop the node and remove its state (the cache stays)
#
# The node is one process tree in its own pid, mount, network and UTS namespaces, so
# nothing of it (iptables rules, routes, mounts, pods) is seen by or left on the machine, and
# it has no way out: no route leaves it. kubectl and helm reach it by `cluster.sh exec`,
# or from outside through the 127.0.0.1 port that `up` forwards ($KUBE_API_PORT).
#
# KUBE_CACHE     builds and images, kept          (default ~/.cache/frontrow/localkube)
# KUBE_RUN       state of the running node         (default /var/lib/localkube)
# KUBE_API_PORT  the API server's port on 127.0.0.1 (default 16443)
# KUBE_TRAEFIK=1 also build (build) and run (up) the Traefik ingress controller
set -euo pipefail

KUBE_CACHE=${KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/frontrow/localkube}
KUBE_RUN=${KUBE_RUN:-/var/lib/localkube}
KUBE_API_PORT=${KUBE_API_PORT:-16443}
KUBE_TRAEFIK=${KUBE_TRAEFIK:-0}

K8S=1.34.3
ETCD=3.6.7
COREDNS=1.14.0
HELM=3.19.4
LOCALPATH=0.0.30
TRAEFIK=3.6.1

NODE=localkube
NODE_IP=10.90.0.1
POD_CIDR=10.244.0.0/16
SVC_CIDR=10.96.0.0/16
API_IP=10.96.0.1
DNS_IP=10.96.0.10
CGROOT=/localkube

BIN=$KUBE_CACHE/bin
IMG=$KUBE_CACHE/images
self=$(readlink -f "$0")

say() { printf '%s localkube: %s\n' "$(date +%T)" "$*" >&2; }
die() { say "$*"; exit 1; }

# ---------------------------------------------------------------- install
cmd_install() {
	local want=(containerd runc containernetworking-plugins iptables iproute2 procps socat openssl busybox-static)
	local missing=() p
	for p in "${want[@]}"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	if [ ${#missing[@]} -gt 0 ]; then
		say "apt-get install ${missing[*]}"
		apt-get update -qq
		# no service is wanted: cluster.sh starts its own containerd
		DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
	fi
}

# ---------------------------------------------------------------- build
write_sources() {
	local d=$1
	mkdir -p "$d/kube" "$d/coredns"
	{
		cat <<-X
			module localkube

			go 1.24.0

			godebug default=go1.24

			require (
				k8s.io/kubernetes v$K8S
				go.etcd.io/etcd/server/v3 v$ETCD
				github.com/coredns/coredns v$COREDNS
				helm.sh/helm/v3 v$HELM
				github.com/rancher/local-path-provisioner v$LOCALPATH
			)

			tool (
				helm.sh/helm/v3/cmd/helm
				github.com/rancher/local-path-provisioner
			)

			replace (
		X
		local m
		for m in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider \
			cluster-bootstrap code-generator component-base component-helpers controller-manager cri-api \
			cri-client csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms \
			kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics \
			mount-utils pod-security-admission sample-apiserver; do
			printf '\tk8s.io/%s => k8s.io/%s v0.%s\n' "$m" "$m" "${K8S#1.}"
		done
		echo ")"
	} >"$d/go.mod"

	cat >"$d/kube/main.go" <<-'X'
		// One binary for all of Kubernetes: the name it is called by picks the part.
		package main

		import (
			"context"
			"fmt"
			"os"
			"path/filepath"
			_ "time/tzdata"

			"go.etcd.io/etcd/server/v3/etcdmain"
			_ "k8s.io/client-go/plugin/pkg/client/auth"
			"k8s.io/component-base/cli"
			"k8s.io/component-base/logs"
			_ "k8s.io/component-base/logs/json/register"
			_ "k8s.io/component-base/metrics/prometheus/clientgo"
			_ "k8s.io/component-base/metrics/prometheus/version"
			kubectl "k8s.io/kubectl/pkg/cmd"
			kubectlutil "k8s.io/kubectl/pkg/cmd/util"
			apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
			controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
			proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
			scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
			kubelet "k8s.io/kubernetes/cmd/kubelet/app"
		)

		func main() {
			switch name := filepath.Base(os.Args[0]); name {
			case "etcd":
				etcdmain.Main(os.Args)
			case "kube-apiserver":
				os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
			case "kube-controller-manager":
				os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
			case "kube-scheduler":
				os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
			case "kubelet":
				os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
			case "kube-proxy":
				os.Exit(cli.Run(proxy.NewProxyCommand()))
			case "kubectl":
				logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
				if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
					kubectlutil.CheckErr(err)
				}
			default:
				fmt.Fprintf(os.Stderr, "no part of this binary is called %q\n", name)
				os.Exit(2)
			}
		}
	X

	cat >"$d/coredns/main.go" <<-'X'
		// CoreDNS with the plugins a cluster's Corefile uses, and no cloud's.
		package main

		import (
			_ "github.com/coredns/coredns/plugin/cache"
			_ "github.com/coredns/coredns/plugin/errors"
			_ "github.com/coredns/coredns/plugin/forward"
			_ "github.com/coredns/coredns/plugin/health"
			_ "github.com/coredns/coredns/plugin/hosts"
			_ "github.com/coredns/coredns/plugin/kubernetes"
			_ "github.com/coredns/coredns/plugin/loadbalance"
			_ "github.com/coredns/coredns/plugin/log"
			_ "github.com/coredns/coredns/plugin/loop"
			_ "github.com/coredns/coredns/plugin/metrics"
			_ "github.com/coredns/coredns/plugin/ready"
			_ "github.com/coredns/coredns/plugin/reload"
			_ "github.com/coredns/coredns/plugin/rewrite"
			_ "github.com/coredns/coredns/plugin/template"

			"github.com/coredns/coredns/coremain"
		)

		func main() { coremain.Run() }
	X

	mkdir -p "$d/pause" "$d/mkimage"
	cat >"$d/pause/main.go" <<-'X'
		// The process that holds a pod's namespaces: reaps children, waits for a signal.
		package main

		import (
			"os"
			"os/signal"
			"syscall"
		)

		func main() {
			c := make(chan os.Signal, 16)
			signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
			for s := range c {
				if s != syscall.SIGCHLD {
					return
				}
				for {
					if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
						break
					}
				}
			}
		}
	X

	cat >"$d/mkimage/main.go" <<-'X'
		// mkimage writes a one-layer image as a docker-archive tar, from files alone.
		package main

		import (
			"archive/tar"
			"bytes"
			"crypto/sha256"
			"encoding/json"
			"flag"
			"fmt"
			"io/fs"
			"log"
			"os"
			"path"
			"path/filepath"
			"sort"
			"strings"
			"time"
		)

		type list []string

		func (l *list) String() string     { return strings.Join(*l, ",") }
		func (l *list) Set(s string) error { *l = append(*l, s); return nil }

		func main() {
			log.SetFlags(0)
			var entry, cmd, env, ports, links, dirs list
			user := flag.String("user", "", "user of the image, as UID or UID:GID")
			work := flag.String("workdir", "/", "working directory")
			flag.Var(&entry, "entrypoint", "a word of the entrypoint (repeat)")
			flag.Var(&cmd, "cmd", "a word of the command (repeat)")
			flag.Var(&env, "env", "NAME=VALUE (repeat)")
			flag.Var(&ports, "expose", "a port, as 8080/tcp (repeat)")
			flag.Var(&links, "link", "a symbolic link, as PATH=TARGET (repeat)")
			flag.Var(&dirs, "dir", "an empty directory, mode 1777 (repeat)")
			flag.Usage = func() {
				fmt.Fprintln(os.Stderr, "usage: mkimage [options] NAME OUT.tar FILE[=DEST]...")
				flag.PrintDefaults()
			}
			flag.Parse()
			if flag.NArg() < 2 {
				flag.Usage()
				os.Exit(2)
			}
			name, out := flag.Arg(0), flag.Arg(1)

			var layer bytes.Buffer
			tw := tar.NewWriter(&layer)
			seen := map[string]bool{}
			var parents func(p string)
			parents = func(p string) {
				d := path.Dir(p)
				if d == "." || d == "/" || seen[d] {
					return
				}
				parents(d)
				seen[d] = true
				check(tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o755, ModTime: time.Unix(0, 0)}))
			}
			add := func(src, dst string) {
				dst = strings.TrimPrefix(path.Clean("/"+dst), "/")
				data, err := os.ReadFile(src)
				check(err)
				st, err := os.Stat(src)
				check(err)
				parents(dst)
				check(tw.WriteHeader(&tar.Header{Name: dst, Mode: int64(st.Mode().Perm()), Size: int64(len(data)), ModTime: time.Unix(0, 0)}))
				_, err = tw.Write(data)
				check(err)
			}
			for _, d := range dirs {
				d = strings.TrimPrefix(path.Clean("/"+d), "/")
				parents(d)
				seen[d] = true
				check(tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o1777, ModTime: time.Unix(0, 0)}))
			}
			for _, a := range flag.Args()[2:] {
				src, dst, ok := strings.Cut(a, "=")
				if !ok {
					dst = filepath.Base(src)
				}
				st, err := os.Stat(src)
				check(err)
				if !st.IsDir() {
					add(src, dst)
					continue
				}
				check(filepath.WalkDir(src, func(p string, e fs.DirEntry, err error) error {
					if err == nil && !e.IsDir() {
						rel, _ := filepath.Rel(src, p)
						add(p, path.Join(dst, filepath.ToSlash(rel)))
					}
					return err
				}))
			}
			sort.Strings(links)
			for _, l := range links {
				p, target, _ := strings.Cut(l, "=")
				p = strings.TrimPrefix(path.Clean("/"+p), "/")
				parents(p)
				check(tw.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: p, Linkname: target, Mode: 0o777, ModTime: time.Unix(0, 0)}))
			}
			check(tw.Close())

			exposed := map[string]struct{}{}
			for _, p := range ports {
				exposed[p] = struct{}{}
			}
			if len(env) == 0 {
				env = list{"PATH=/usr/local/bin:/usr/bin:/bin:/"}
			}
			config, err := json.Marshal(map[string]any{
				"architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z",
				"config": map[string]any{"Entrypoint": entry, "Cmd": cmd, "Env": env, "User": *user, "WorkingDir": *work, "ExposedPorts": exposed},
				"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer.Bytes()))}},
				"history": []any{map[string]any{"created": "1970-01-01T00:00:00Z", "created_by": "mkimage"}},
			})
			check(err)
			configName := fmt.Sprintf("%x.json", sha256.Sum256(config))
			manifest, err := json.Marshal([]any{map[string]any{"Config": configName, "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
			check(err)

			f, err := os.Create(out)
			check(err)
			ow := tar.NewWriter(f)
			for _, e := range []struct {
				name string
				data []byte
			}{{"manifest.json", manifest}, {configName, config}, {"layer.tar", layer.Bytes()}} {
				check(ow.WriteHeader(&tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.data)), ModTime: time.Unix(0, 0)}))
				_, err := ow.Write(e.data)
				check(err)
			}
			check(ow.Close())
			check(f.Close())
		}

		func check(err error) {
			if err != nil {
				log.Fatal("mkimage: ", err)
			}
		}
	X
}

# The cache is good for exactly the versions and sources this script names.
stamp() { { echo "$K8S $ETCD $COREDNS $HELM $LOCALPATH"; go env GOVERSION GOARCH; sed -n '/^write_sources/,/^}/p' "$self"; } | sha256sum | cut -c1-16; }

timed() { # NAME CMD...: says how long CMD took
	local n=$1 t0=$SECONDS; shift
	"$@"
	say "$n: $((SECONDS - t0)) s"
}

logged() { # NAME CMD...: CMD's output goes to a file, shown only when it fails
	local f=$KUBE_CACHE/$1.log; shift
	"$@" >"$f" 2>&1 || { tail -20 "$f" >&2; die "$* failed"; }
}

cmd_build() {
	command -v go >/dev/null || die "go is needed to build"
	mkdir -p "$BIN" "$IMG"
	local want; want=$(stamp)
	if [ "$(cat "$KUBE_CACHE/stamp" 2>/dev/null)" != "$want" ]; then
		local src; src=$(mktemp -d)
		write_sources "$src"
		(
			cd "$src"
			export CGO_ENABLED=0 GOFLAGS="-mod=mod -trimpath -buildvcs=false"
			local v=k8s.io/component-base/version kv="v$K8S"
			local ld="-s -w -X $v.gitVersion=$kv -X $v.gitMajor=1 -X $v.gitMinor=$(cut -d. -f2 <<<"$K8S") -X $v.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion=$kv"
			timed "resolve modules" logged tidy go mod tidy
			timed "build kubernetes and etcd" go build -tags providerless -ldflags "$ld" -o "$BIN/hyperkube" ./kube
			timed "build coredns" go build -ldflags "-s -w" -o "$BIN/coredns" ./coredns
			timed "build helm" go build -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=v$HELM -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=$(cut -d. -f2 <<<"$K8S") -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=$(cut -d. -f2 <<<"$K8S")" -o "$BIN/helm" helm.sh/helm/v3/cmd/helm
			timed "build local-path-provisioner" go build -ldflags "-s -w -X main.VERSION=v$LOCALPATH" -o "$BIN/local-path-provisioner" github.com/rancher/local-path-provisioner
			timed "build pause, mkimage" go build -ldflags "-s -w" -o "$BIN/" ./pause ./mkimage
		)
		cp "$src/go.mod" "$src/go.sum" "$KUBE_CACHE/"
		rm -rf "$src"
		local l
		for l in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
			ln -sf hyperkube "$BIN/$l"
		done
		rm -f "$IMG"/*.tar
		echo "$want" >"$KUBE_CACHE/stamp"
	else
		say "cache is up to date: $KUBE_CACHE"
	fi
	[ -f "$IMG/pause.tar" ] || "$BIN/mkimage" -entrypoint /pause -user 65535:65535 localhost/pause:1 "$IMG/pause.tar" "$BIN/pause"
	[ -f "$IMG/coredns.tar" ] || "$BIN/mkimage" -entrypoint /coredns localhost/coredns:"$COREDNS" "$IMG/coredns.tar" "$BIN/coredns"
	if [ ! -f "$IMG/busybox.tar" ]; then
		local links=() a
		for a in $(/bin/busybox --list); do [ "$a" = busybox ] || links+=(-link "/bin/$a=busybox"); done
		"$BIN/mkimage" "${links[@]}" -dir /tmp -cmd sh localhost/busybox:1 "$IMG/busybox.tar" /bin/busybox=/bin/busybox
	fi
	[ -f "$IMG/local-path.tar" ] || "$BIN/mkimage" -cmd local-path-provisioner localhost/local-path-provisioner:"$LOCALPATH" "$IMG/local-path.tar" "$BIN/local-path-provisioner=/usr/bin/local-path-provisioner"
	if [ "$KUBE_TRAEFIK" = 1 ]; then build_traefik; fi
}

build_traefik() {
	if [ "$(cat "$KUBE_CACHE/traefik.stamp" 2>/dev/null)" != "$TRAEFIK" ]; then
		local src dir; src=$(mktemp -d)
		(
			cd "$src"
			export CGO_ENABLED=0 GOFLAGS="-mod=mod -trimpath -buildvcs=false"
			dir=$(go mod download -json "github.com/traefik/traefik/v3@v$TRAEFIK" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
			{ printf 'module localtraefik\n\ngo 1.24.0\n\nrequire github.com/traefik/traefik/v3 v%s\n\ntool github.com/traefik/traefik/v3/cmd/traefik\n\n' "$TRAEFIK"
				sed -n '/^replace/,/^)/p' "$dir/go.mod"; } >go.mod
			timed "resolve traefik's modules" logged tidy-traefik go mod tidy
			timed "build traefik" go build -ldflags "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=$TRAEFIK" -o "$BIN/traefik" github.com/traefik/traefik/v3/cmd/traefik
		)
		rm -rf "$src" "$IMG/traefik.tar"
		echo "$TRAEFIK" >"$KUBE_CACHE/traefik.stamp"
	fi
	[ -f "$IMG/traefik.tar" ] || "$BIN/mkimage" -entrypoint /traefik -dir /tmp localhost/traefik:"$TRAEFIK" "$IMG/traefik.tar" "$BIN/traefik"
}

# ---------------------------------------------------------------- up
init_pid() { cat "$KUBE_RUN/init.pid" 2>/dev/null; }
running() { local p; p=$(init_pid) && [ -n "$p" ] && [ -d "/proc/$p" ] && grep -q "$NODE-init" "/proc/$p/cmdline" 2>/dev/null; }
inside() { nsenter -t "$(init_pid)" -m -n -p -u -- "$@"; }
kc() { inside "$BIN/kubectl" --kubeconfig "$KUBE_RUN/pki/admin.conf" "$@"; }

pki() {
	local d=$KUBE_RUN/pki
	[ -f "$d/done" ] && return
	mkdir -p "$d"
	(
		cd "$d"
		exec 2>"$KUBE_RUN/log/openssl.log"
		local n
		for n in ca front-proxy-ca; do
			openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -keyout $n.key -out $n.crt \
				-subj "/CN=$n" -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
		done
		openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out sa.key
		openssl pkey -in sa.key -pubout -out sa.pub
		cert() { # NAME CA SUBJECT USAGE [SAN]
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.csr" -subj "$3"
			printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s\n' "$4" "${5:+subjectAltName=$5}" >"$1.ext"
			openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 365 -out "$1.crt" -extfile "$1.ext"
			rm "$1.csr" "$1.ext"
		}
		cert apiserver ca /CN=kube-apiserver serverAuth "DNS:localhost,DNS:$NODE,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$API_IP,IP:$NODE_IP"
		cert apiserver-kubelet-client ca /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
		cert kubelet-server ca /CN=$NODE serverAuth "DNS:$NODE,IP:$NODE_IP"
		cert front-proxy-client front-proxy-ca /CN=front-proxy-client clientAuth
		cert admin ca /O=system:masters/CN=admin clientAuth
		cert controller-manager ca /CN=system:kube-controller-manager clientAuth
		cert scheduler ca /CN=system:kube-scheduler clientAuth
		cert kubelet ca /O=system:nodes/CN=system:node:$NODE clientAuth
		cert proxy ca /CN=system:kube-proxy clientAuth
		conf() { # USER SERVER OUT
			printf '%s\n' "apiVersion: v1" "kind: Config" "current-context: $NODE" \
				"clusters: [{name: $NODE, cluster: {server: \"$2\", certificate-authority-data: $(base64 -w0 ca.crt)}}]" \
				"contexts: [{name: $NODE, context: {cluster: $NODE, user: $1}}]" \
				"users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]" >"$3"
			chmod 600 "$3"
		}
		for n in admin controller-manager scheduler kubelet proxy; do conf $n https://127.0.0.1:6443 $n.conf; done
		conf admin "https://127.0.0.1:$KUBE_API_PORT" "$KUBE_RUN/kubeconfig"
		touch done
	)
}

configs() {
	local c=$KUBE_RUN/etc
	mkdir -p "$c/cni" "$c/manifests"
	: >"$c/resolv.conf"
	cat >"$c/containerd.toml" <<-X
		version = 2
		root = "$KUBE_RUN/containerd"
		state = "/run/containerd"
		oom_score = 0
		disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
		[grpc]
		  address = "/run/containerd/containerd.sock"
		[plugins."io.containerd.internal.v1.opt"]
		  path = "$KUBE_RUN/containerd/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/pause:1"
		  disable_apparmor = true
		  restrict_oom_score_adj = true # root here may lack CAP_SYS_RESOURCE
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/usr/lib/cni"
		    conf_dir = "$c/cni"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "overlayfs"
		    default_runtime_name = "runc"
		  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		    runtime_type = "io.containerd.runc.v2"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		      SystemdCgroup = false
	X
	cat >"$c/cni/10-ptp.conflist" <<-X
		{"cniVersion": "0.4.0", "name": "$NODE", "plugins": [
		  {"type": "ptp", "ipMasq": false, "mtu": 1500,
		   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam", "ranges": [[{"subnet": "${POD_CIDR%/*}/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
		  {"type": "portmap", "capabilities": {"portMappings": true}}]}
	X
	cat >"$c/kubelet.yaml" <<-X
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $KUBE_RUN/pki/ca.crt}}
		authorization: {mode: Webhook}
		tlsCertFile: $KUBE_RUN/pki/kubelet-server.crt
		tlsPrivateKeyFile: $KUBE_RUN/pki/kubelet-server.key
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		cgroupDriver: cgroupfs
		cgroupRoot: $CGROOT
		failCgroupV1: false
		failSwapOn: false
		clusterDNS: [$DNS_IP]
		clusterDomain: cluster.local
		resolvConf: $c/resolv.conf
		podLogsDir: /var/log/pods
		volumePluginDir: $KUBE_RUN/kubelet/volume-plugins
		imageGCHighThresholdPercent: 100
		evictionHard: {memory.available: 100Mi, nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%", imagefs.inodesFree: "0%"}
		maxPods: 110
		registerNode: true
		syncFrequency: 10s
		shutdownGracePeriod: 0s
	X
	cat >"$c/proxy.yaml" <<-X
		apiVersion: kubeproxy.config.k8s.io/v1alpha1
		kind: KubeProxyConfiguration
		clientConnection: {kubeconfig: $KUBE_RUN/pki/proxy.conf}
		mode: iptables
		clusterCIDR: $POD_CIDR
		hostnameOverride: $NODE
		conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
		iptables: {minSyncPeriod: 0s}
	X
	addon_dns >"$c/manifests/dns.yaml"
	addon_storage >"$c/manifests/storage.yaml"
	addon_traefik >"$c/manifests-traefik.yaml"
}

addon_dns() {
	cat <<-X
		apiVersion: v1
		kind: ServiceAccount
		metadata: {name: coredns, namespace: kube-system}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRole
		metadata: {name: system:coredns}
		rules:
		- {apiGroups: [""], resources: [endpoints, services, pods, namespaces], verbs: [list, watch]}
		- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRoleBinding
		metadata: {name: system:coredns}
		roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:coredns}
		subjects: [{kind: ServiceAccount, name: coredns, namespace: kube-system}]
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: coredns, namespace: kube-system}
		data:
		  Corefile: |
		    .:53 {
		        errors
		        health {
		            lameduck 1s
		        }
		        ready
		        kubernetes cluster.local in-addr.arpa ip6.arpa {
		            pods insecure
		            fallthrough in-addr.arpa ip6.arpa
		            ttl 5
		        }
		        prometheus :9153
		        cache 5
		        reload
		        loadbalance
		    }
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
		spec:
		  replicas: 1
		  selector: {matchLabels: {k8s-app: kube-dns}}
		  template:
		    metadata: {labels: {k8s-app: kube-dns}}
		    spec:
		      serviceAccountName: coredns
		      priorityClassName: system-cluster-critical
		      dnsPolicy: Default
		      containers:
		      - name: coredns
		        image: localhost/coredns:$COREDNS
		        imagePullPolicy: Never
		        args: [-conf, /etc/coredns/Corefile]
		        ports: [{containerPort: 53, name: dns, protocol: UDP}, {containerPort: 53, name: dns-tcp, protocol: TCP}, {containerPort: 9153, name: metrics}]
		        readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 2}
		        livenessProbe: {httpGet: {path: /health, port: 8080}, initialDelaySeconds: 30}
		        resources: {limits: {memory: 170Mi}, requests: {cpu: 50m, memory: 70Mi}}
		        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}}
		        volumeMounts: [{name: config, mountPath: /etc/coredns, readOnly: true}]
		      volumes: [{name: config, configMap: {name: coredns}}]
		---
		apiVersion: v1
		kind: Service
		metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
		spec:
		  clusterIP: $DNS_IP
		  selector: {k8s-app: kube-dns}
		  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}, {name: metrics, port: 9153, protocol: TCP}]
	X
}

addon_storage() {
	cat <<-X
		apiVersion: v1
		kind: Namespace
		metadata: {name: local-path-storage}
		---
		apiVersion: v1
		kind: ServiceAccount
		metadata: {name: local-path-provisioner-service-account, namespace: local-path-storage}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRole
		metadata: {name: local-path}
		rules:
		- {apiGroups: [""], resources: [nodes, persistentvolumeclaims, configmaps, pods, pods/log], verbs: [get, list, watch]}
		- {apiGroups: [""], resources: [persistentvolumes], verbs: [get, list, watch, create, patch, update, delete]}
		- {apiGroups: [""], resources: [pods], verbs: [create, delete]}
		- {apiGroups: ["", events.k8s.io], resources: [events], verbs: [create, patch]}
		- {apiGroups: [storage.k8s.io], resources: [storageclasses], verbs: [get, list, watch]}
		- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update, patch]}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRoleBinding
		metadata: {name: local-path}
		roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: local-path}
		subjects: [{kind: ServiceAccount, name: local-path-provisioner-service-account, namespace: local-path-storage}]
		---
		apiVersion: storage.k8s.io/v1
		kind: StorageClass
		metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
		provisioner: rancher.io/local-path
		volumeBindingMode: WaitForFirstConsumer
		reclaimPolicy: Delete
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: local-path-config, namespace: local-path-storage}
		data:
		  config.json: '{"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": ["$KUBE_RUN/volumes"]}]}'
		  setup: |
		    #!/bin/sh
		    set -eu
		    mkdir -m 0777 -p "\$VOL_DIR"
		  teardown: |
		    #!/bin/sh
		    set -eu
		    rm -rf "\$VOL_DIR"
		  helperPod.yaml: |
		    apiVersion: v1
		    kind: Pod
		    metadata: {name: helper-pod}
		    spec:
		      containers:
		      - {name: helper-pod, image: localhost/busybox:1, imagePullPolicy: Never}
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: local-path-provisioner, namespace: local-path-storage}
		spec:
		  replicas: 1
		  selector: {matchLabels: {app: local-path-provisioner}}
		  template:
		    metadata: {labels: {app: local-path-provisioner}}
		    spec:
		      serviceAccountName: local-path-provisioner-service-account
		      containers:
		      - name: local-path-provisioner
		        image: localhost/local-path-provisioner:$LOCALPATH
		        imagePullPolicy: Never
		        command: [local-path-provisioner, start, --config, /etc/config/config.json]
		        env:
		        - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
		        - {name: CONFIG_MOUNT_PATH, value: /etc/config/}
		        volumeMounts: [{name: config, mountPath: /etc/config/}]
		      volumes: [{name: config, configMap: {name: local-path-config}}]
	X
}

addon_traefik() {
	cat <<-X
		apiVersion: v1
		kind: Namespace
		metadata: {name: traefik}
		---
		apiVersion: v1
		kind: ServiceAccount
		metadata: {name: traefik, namespace: traefik}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRole
		metadata: {name: traefik}
		rules:
		- {apiGroups: [""], resources: [services, secrets, nodes, configmaps, namespaces], verbs: [get, list, watch]}
		- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, list, watch]}
		- {apiGroups: [networking.k8s.io], resources: [ingresses, ingressclasses], verbs: [get, list, watch]}
		- {apiGroups: [networking.k8s.io], resources: [ingresses/status], verbs: [update]}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: ClusterRoleBinding
		metadata: {name: traefik}
		roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: traefik}
		subjects: [{kind: ServiceAccount, name: traefik, namespace: traefik}]
		---
		apiVersion: networking.k8s.io/v1
		kind: IngressClass
		metadata: {name: traefik, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
		spec: {controller: traefik.io/ingress-controller}
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: traefik, namespace: traefik}
		spec:
		  replicas: 1
		  strategy: {type: Recreate}
		  selector: {matchLabels: {app: traefik}}
		  template:
		    metadata: {labels: {app: traefik}}
		    spec:
		      serviceAccountName: traefik
		      containers:
		      - name: traefik
		        image: localhost/traefik:$TRAEFIK
		        imagePullPolicy: Never
		        args:
		        - --global.checknewversion=false
		        - --global.sendanonymoususage=false
		        - --entrypoints.web.address=:80
		        - --entrypoints.websecure.address=:443
		        - --entrypoints.websecure.http.tls=true
		        - --entrypoints.traefik.address=:9000
		        - --ping=true
		        - --providers.kubernetesingress=true
		        - --providers.kubernetesingress.ingressendpoint.ip=$NODE_IP
		        - --providers.kubernetesingress.allowexternalnameservices=true
		        ports: [{containerPort: 80, hostPort: 80, name: web}, {containerPort: 443, hostPort: 443, name: websecure}]
		        readinessProbe: {httpGet: {path: /ping, port: 9000}, periodSeconds: 2}
		---
		apiVersion: v1
		kind: Service
		metadata: {name: traefik, namespace: traefik}
		spec:
		  selector: {app: traefik}
		  ports: [{name: web, port: 80, targetPort: web}, {name: websecure, port: 443, targetPort: websecure}]
	X
}

# PID 1 of the node.
cmd_init() {
	trap 'exit 0' TERM
	mount --make-rprivate /
	mkdir -p /var/lib/cni /var/log
	local d
	for d in /run /var/log /var/lib/cni; do mount -t tmpfs -o mode=755 tmpfs $d; done
	mkdir -p /run/lock /run/netns
	# The kubelet wants these set for the whole machine. It reads them first and writes
	# only what differs, so it is shown what it wants and the machine stays as it was.
	local f v
	while read -r f v; do
		[ -e "/proc/sys/$f" ] || continue
		echo "$v" >"/run/sysctl-${f//\//-}"
		mount --bind "/run/sysctl-${f//\//-}" "/proc/sys/$f"
	done <<-X
		vm/overcommit_memory 1
		vm/panic_on_oom 0
		kernel/panic 10
		kernel/panic_on_oops 1
		kernel/keys/root_maxkeys 1000000
		kernel/keys/root_maxbytes 25000000
	X
	mount --make-rshared /
	hostname $NODE
	ip link set lo up
	ip link add node0 type veth peer name node1
	ip link set node0 up
	ip link set node1 up
	ip addr add $NODE_IP/24 dev node0
	ip route add default dev node0 # leads nowhere; a service's address must have a route before NAT sees it
	sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0

	local p=$KUBE_RUN/pki c=$KUBE_RUN/etc l=$KUBE_RUN/log
	keep() { # NAME CMD...: keeps CMD running
		local n=$1; shift
		( while :; do "$@" >>"$l/$n.log" 2>&1 || echo "$(date +%T) $n ended: $?" >>"$l/init.log"; sleep 1; done ) &
	}
	export PATH=$BIN:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
	keep containerd containerd --config "$c/containerd.toml"
	keep etcd "$BIN/etcd" --name $NODE --data-dir "$KUBE_RUN/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
		--listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster "$NODE=http://127.0.0.1:2380"
	keep apiserver "$BIN/kube-apiserver" --etcd-servers http://127.0.0.1:2379 \
		--advertise-address $NODE_IP --secure-port 6443 --service-cluster-ip-range $SVC_CIDR --allow-privileged=true \
		--tls-cert-file "$p/apiserver.crt" --tls-private-key-file "$p/apiserver.key" --client-ca-file "$p/ca.crt" \
		--kubelet-certificate-authority "$p/ca.crt" --kubelet-client-certificate "$p/apiserver-kubelet-client.crt" --kubelet-client-key "$p/apiserver-kubelet-client.key" \
		--kubelet-preferred-address-types InternalIP \
		--service-account-issuer https://kubernetes.default.svc.cluster.local --service-account-key-file "$p/sa.pub" --service-account-signing-key-file "$p/sa.key" \
		--requestheader-client-ca-file "$p/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
		--requestheader-extra-headers-prefix X-Remote-Extra- --requestheader-group-headers X-Remote-Group --requestheader-username-headers X-Remote-User \
		--proxy-client-cert-file "$p/front-proxy-client.crt" --proxy-client-key-file "$p/front-proxy-client.key" \
		--authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --profiling=false
	keep controller-manager "$BIN/kube-controller-manager" --kubeconfig "$p/controller-manager.conf" \
		--authentication-kubeconfig "$p/controller-manager.conf" --authorization-kubeconfig "$p/controller-manager.conf" \
		--bind-address 127.0.0.1 --leader-elect=false --use-service-account-credentials=true \
		--root-ca-file "$p/ca.crt" --service-account-private-key-file "$p/sa.key" \
		--cluster-signing-cert-file "$p/ca.crt" --cluster-signing-key-file "$p/ca.key" \
		--cluster-cidr $POD_CIDR --service-cluster-ip-range $SVC_CIDR --profiling=false
	keep scheduler "$BIN/kube-scheduler" --kubeconfig "$p/scheduler.conf" --authentication-kubeconfig "$p/scheduler.conf" \
		--authorization-kubeconfig "$p/scheduler.conf" --bind-address 127.0.0.1 --leader-elect=false --profiling=false
	keep kubelet "$BIN/kubelet" --config "$c/kubelet.yaml" --kubeconfig "$p/kubelet.conf" --root-dir "$KUBE_RUN/kubelet" \
		--hostname-override $NODE --node-ip $NODE_IP
	keep proxy "$BIN/kube-proxy" --config "$c/proxy.yaml"
	echo ready >"$KUBE_RUN/init.ready"
	while :; do wait; sleep 1; done
}

cgroups() { # one folder for the pods in each v1 hierarchy, or in the v2 one
	local h f
	for h in /sys/fs/cgroup /sys/fs/cgroup/*; do
		mountpoint -q "$h" && [ "$(stat -fc %T "$h")" != tmpfs ] || continue
		case $1 in
		make)
			mkdir -p "$h$CGROOT"
			for f in cpuset.cpus cpuset.mems; do
				if [ -f "$h/cpuset.sched_load_balance" ] && [ -z "$(cat "$h$CGROOT/$f")" ]; then cat "$h/$f" >"$h$CGROOT/$f"; fi
			done ;;
		remove)
			[ -d "$h$CGROOT" ] && find "$h$CGROOT" -depth -type d -exec rmdir {} + 2>/dev/null || true ;;
		esac
	done
}

cmd_cores() { # not by a quota, which a pod's own limit may not exceed; children first, whose cores must be among their parent's
	local root=/sys/fs/cgroup/cpuset folder
	[ -d $root ] || root=/sys/fs/cgroup
	find "$root$CGROOT" -depth -type d | while read -r folder; do echo "0-$(($1 - 1))" >"$folder/cpuset.cpus"; done
}

wait_for() { # SECONDS WHAT CMD...
	local until=$((SECONDS + $1)) what=$2; shift 2
	while ! "$@" >/dev/null 2>&1; do
		running || die "the node died while waiting for $what: see $KUBE_RUN/log"
		[ $SECONDS -lt $until ] || die "no $what in time: see $KUBE_RUN/log"
		sleep 0.5
	done
}

rollout() { kc -n "$1" rollout status "deployment/$2" --timeout=120s; }

cmd_up() {
	[ "$(id -u)" = 0 ] || die "up needs root"
	case $KUBE_RUN in /run/*|/var/log/*|/var/lib/cni*) die "KUBE_RUN may not lie in a folder the node has its own of" ;; esac
	local x
	for x in hyperkube coredns helm local-path-provisioner; do [ -x "$BIN/$x" ] || die "$BIN/$x is missing: run build first"; done
	for x in containerd runc iptables socat openssl nsenter; do command -v $x >/dev/null || die "$x is missing: run install first"; done
	[ "$KUBE_TRAEFIK" != 1 ] || [ -f "$IMG/traefik.tar" ] || die "no traefik image: run build with KUBE_TRAEFIK=1 first"
	if running; then say "already up"; else
		cmd_down
		mkdir -p "$KUBE_RUN/log" "$KUBE_RUN/volumes"
		pki
		configs
		cgroups make
		local t0=$SECONDS
		setsid unshare --fork --pid --mount --net --uts --mount-proc bash -c 'exec -a localkube-init bash "$0" __init' "$self" </dev/null >>"$KUBE_RUN/log/init.log" 2>&1 &
		local u=$!
		disown
		until [ -s "$KUBE_RUN/init.pid" ]; do
			[ -d /proc/$u ] || die "the node did not start: see $KUBE_RUN/log/init.log"
			tr -d ' ' <"/proc/$u/task/$u/children" >"$KUBE_RUN/init.pid" 2>/dev/null || true
			sleep 0.1
		done
		echo $u >"$KUBE_RUN/unshare.pid"
		until [ -f "$KUBE_RUN/init.ready" ]; do [ -d /proc/$u ] || die "the node did not start: see $KUBE_RUN/log/init.log"; sleep 0.1; done
		wait_for 30 "containerd" inside ctr version
		local i
		for i in pause coredns busybox local-path; do cmd_load "$IMG/$i.tar"; done
		wait_for 120 "API server" kc get --raw=/readyz
		say "API server ready after $((SECONDS - t0)) s"
		wait_for 120 "node object" kc get node $NODE
		wait_for 60 "default service account" kc -n default get serviceaccount default
		cmd_forward "$KUBE_API_PORT" 127.0.0.1:6443
		kc apply -f "$KUBE_RUN/etc/manifests" >/dev/null
		if [ "$KUBE_TRAEFIK" = 1 ]; then
			cmd_load "$IMG/traefik.tar"
			kc apply -f "$KUBE_RUN/etc/manifests-traefik.yaml" >/dev/null
		fi
		if ! {
			kc wait --for=condition=Ready "node/$NODE" --timeout=120s &&
				rollout kube-system coredns &&
				rollout local-path-storage local-path-provisioner &&
				{ [ "$KUBE_TRAEFIK" != 1 ] || rollout traefik traefik; }
		} >/dev/null; then
			kc get nodes,pods -A -o wide >&2 || true
			kc get events -A --field-selector type=Warning >&2 || true
			die "not all of it came up: see above and $KUBE_RUN/log"
		fi
		say "up after $((SECONDS - t0)) s"
	fi
	say "export KUBECONFIG=$KUBE_RUN/kubeconfig PATH=$BIN:\$PATH"
}

cmd_load() {
	running || die "not up"
	local t
	for t in "$@"; do inside ctr -n k8s.io images import - <"$t" >/dev/null || die "cannot load $t"; done
}

cmd_exec() {
	running || die "not up"
	inside env -C "$PWD" KUBECONFIG="$KUBE_RUN/pki/admin.conf" PATH="$BIN:$PATH" "$@"
}

cmd_forward() { # PORT HOST:PORT
	local port=$1 to=$2
	printf '#!/bin/sh\nexec nsenter -t %s -n socat STDIO TCP:%s\n' "$(init_pid)" "$to" >"$KUBE_RUN/forward-$port"
	chmod +x "$KUBE_RUN/forward-$port"
	setsid socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,backlog=4096" "EXEC:$KUBE_RUN/forward-$port" </dev/null >>"$KUBE_RUN/log/forward.log" 2>&1 &
	echo $! >>"$KUBE_RUN/forward.pids"
	disown
}

cmd_status() {
	running || die "not up"
	kc get nodes,pods -A -o wide
	inside ps -eo rss,etimes,args --sort=-rss | awk -v b="$BIN/" 'NR>1 && $1>8192 {sub(b,"",$3); printf "%7.1f MiB  %s %s\n", $1/1024, $3, $4}'
}

cmd_down() {
	local p i
	if [ -f "$KUBE_RUN/forward.pids" ]; then
		while read -r p; do
			if grep -q socat "/proc/$p/comm" 2>/dev/null; then kill -- "-$p" 2>/dev/null || kill "$p" 2>/dev/null || true; fi
		done <"$KUBE_RUN/forward.pids"
		rm -f "$KUBE_RUN/forward.pids"
	fi
	if running; then
		p=$(init_pid)
		kill -KILL "$p" # with its pid 1 the kernel ends the whole node
		for i in $(seq 100); do [ -d "/proc/$p" ] || break; sleep 0.1; done
	fi
	for i in $(seq 50); do
		cgroups remove
		compgen -G "/sys/fs/cgroup/*$CGROOT" >/dev/null || break
		sleep 0.1
	done
	[ -n "$KUBE_RUN" ] && [ "$KUBE_RUN" != / ] && rm -rf "$KUBE_RUN"
}

case ${1:-} in
install | build | up | load | exec | forward | cores | status | down) c=$1; shift; "cmd_$c" "$@" ;;
image) shift; exec "$BIN/mkimage" "$@" ;;
__init) cmd_init ;;
*) sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$self"; exit 2 ;;
esac
