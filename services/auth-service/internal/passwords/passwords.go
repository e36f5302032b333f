// Package passwords decides which passwords may be chosen, by the rules of NIST
// SP 800-63B: a minimum length and a list of common passwords, no rules of
// composition.
package passwords

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// Minimum lengths, in characters. The contract limits the maximum.
const (
	MinLength = 8
	// MinLong is the minimum length of an admin's password.
	MinLong = 12
)

// IsLong reports whether an admin may have the password.
func IsLong(password string) bool { return utf8.RuneCountInString(password) >= MinLong }

// Check refuses a password that is too short or common: validation_failed,
// naming the field password. Case does not make a common password uncommon.
func Check(password string, admin bool) error {
	minimum := MinLength
	if admin {
		minimum = MinLong
	}
	if utf8.RuneCountInString(password) < minimum {
		return problem.Invalid(problem.Field{
			Field: "password", Code: "too_short", Message: fmt.Sprintf("must have at least %d characters", minimum),
		})
	}
	if common()[strings.ToLower(password)] {
		return problem.Invalid(problem.Field{
			Field: "password", Code: "common_password", Message: "is too common: choose another",
		})
	}
	return nil
}

//go:embed common.txt.gz
var list []byte

// common returns the common passwords in lower case. The list is part of the
// program: a fault in it is a fault of the build.
var common = sync.OnceValue(func() map[string]bool {
	r, err := gzip.NewReader(bytes.NewReader(list))
	if err != nil {
		panic(fmt.Sprintf("list of common passwords: %v", err))
	}
	passwords := map[string]bool{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		passwords[lines.Text()] = true
	}
	if err := lines.Err(); err != nil {
		panic(fmt.Sprintf("list of common passwords: %v", err))
	}
	return passwords
})
