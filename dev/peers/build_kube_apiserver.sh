# Build Debian's Kubernetes sources into DIRECTORY/built/kube-apiserver: sh build_kube_apiserver.sh DIRECTORY VERSION
# Nothing is fetched but the source package: the libraries are in it (vendor), and Go asks no proxy.
set -eu
directory=$1 version=$2
mkdir -p "$directory/parts" "$directory/lists/partial"
printf 'Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n' >"$directory/parts/src.sources"
own="-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$directory/parts -o Dir::State::Lists=$directory/lists"
cd "$directory"
# shellcheck disable=SC2086
apt-get -qq $own -o APT::Sandbox::User=root update
# shellcheck disable=SC2086
apt-get -qq $own -o APT::Sandbox::User=root source --download-only kubernetes
dpkg-source --no-check -x kubernetes_*.dsc tree >/dev/null
mkdir -p tree/.go/src/k8s.io
ln -sfn ../../.. tree/.go/src/k8s.io/kubernetes
cd tree/.go/src/k8s.io/kubernetes
export GOPATH="$directory/tree/.go" GOCACHE="$directory/gocache" HOME="$directory"
export GO111MODULE=off GOFLAGS= GOPROXY=off CGO_ENABLED=0
generated=k8s.io/kubernetes/pkg/generated/openapi
go build -o "$directory/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
# The one part of the server that is generated, and not in the sources. As build/root/Makefile.generated_files does it.
tagged=$(grep -Rl --include='*.go' '+k8s:openapi-gen=' pkg cmd plugin vendor/k8s.io/ |
    grep -v '/sample-apiserver/\|/code-generator/\|zz_generated\|/gengo/\|/kube-openapi/\|_test.go' |
    xargs -n1 dirname | LC_ALL=C sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
"$directory/openapi-gen" --logtostderr -i "$tagged" -p "$generated" -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r "$directory/violations"
named=k8s.io/kubernetes/vendor/k8s.io/component-base/version
mkdir -p "$directory/unfinished"
go build -ldflags "-s -w -X $named.gitVersion=v$version -X $named.gitMajor=1 -X $named.gitMinor=20" \
    -o "$directory/unfinished/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
mv "$directory/unfinished" "$directory/built"
