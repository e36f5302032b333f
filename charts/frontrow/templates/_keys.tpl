{{/*
The public half of an Ed25519 key, both in base64: a seed goes in. Helm's functions have no such thing. But they make a
certificate from a private key, and there the public one stands: behind the 12 bytes that say "Ed25519", 32 bytes long.
The 16 bytes before the seed say "a private key, Ed25519" (PKCS #8, RFC 8410).
*/}}
{{- define "frontrow.publicKey" -}}
{{- $private := printf "%s%s" (b64dec "MC4CAQAwBQYDK2VwBCIEIA==") (b64dec .) | b64enc -}}
{{- $pem := printf "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n" $private -}}
{{- $certificate := (genSelfSignedCertWithKey "frontrow" (list) (list) 1 $pem).Cert -}}
{{- $der := $certificate | replace "-----BEGIN CERTIFICATE-----" "" | replace "-----END CERTIFICATE-----" "" | replace "\n" "" | b64dec -}}
{{- index (splitList (b64dec "MCowBQYDK2VwAyEA") $der) 1 | substr 0 32 | b64enc -}}
{{- end }}
