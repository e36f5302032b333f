// Package web has the web app in it, for the gateway to serve.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// App returns the files that `npm run build` made: index.html, assets/ and, beside each text, its compressed copies .br and
// .gz. Without a build it is empty.
func App() fs.FS {
	app, err := fs.Sub(dist, "dist/app")
	if err != nil {
		panic("web: " + err.Error()) // of a path that is not valid
	}
	return app
}
