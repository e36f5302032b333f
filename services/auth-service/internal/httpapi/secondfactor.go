package httpapi

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"net/http"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
)

func (h *handlers) beginSecondFactor(w http.ResponseWriter, r *http.Request) error {
	enrolment, err := h.svc.BeginSecondFactor(r.Context(), caller(r))
	if err != nil {
		return answer(err)
	}
	picture, err := qrCode(enrolment.URI)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, rest.SecondFactorSecret{Secret: enrolment.Secret, URI: enrolment.URI, QRPNG: picture})
}

func (h *handlers) confirmSecondFactor(w http.ResponseWriter, r *http.Request) error {
	proof, err := httpapi.Decode[rest.SecondFactorCode](w, r)
	if err != nil {
		return err
	}
	codes, err := h.svc.ConfirmSecondFactor(r.Context(), caller(r), proof.Code)
	return shown(w, codes, err)
}

func (h *handlers) renewRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	codes, err := h.svc.RenewRecoveryCodes(r.Context(), caller(r))
	return shown(w, codes, err)
}

// shown answers with recovery codes.
func shown(w http.ResponseWriter, codes []string, err error) error {
	if err != nil {
		return answer(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.WriteJSON(w, http.StatusOK, rest.RecoveryCodes{Codes: codes})
}

func (h *handlers) removeSecondFactor(w http.ResponseWriter, r *http.Request) error {
	if err := h.svc.RemoveSecondFactor(r.Context(), caller(r)); err != nil {
		return answer(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

const (
	qrSize = 320 // pixels
	// quietZone is the white border that scanners need, in modules (ISO/IEC
	// 18004).
	quietZone = 4
)

// qrCode returns the QR code of a text as a square PNG.
func qrCode(text string) ([]byte, error) {
	symbol, err := qr.Encode(text, qr.M, qr.Auto)
	if err == nil {
		modules := symbol.Bounds().Dx()
		side := qrSize / (modules + 2*quietZone) * modules
		symbol, err = barcode.Scale(symbol, side, side)
	}
	if err != nil {
		return nil, fmt.Errorf("encode QR code: %w", err)
	}
	canvas := image.NewGray(image.Rect(0, 0, qrSize, qrSize))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	border := (qrSize - symbol.Bounds().Dx()) / 2
	draw.Draw(canvas, symbol.Bounds().Add(image.Pt(border, border)), symbol, image.Point{}, draw.Src)
	var buf bytes.Buffer
	if err := png.Encode(&buf, canvas); err != nil {
		return nil, fmt.Errorf("encode QR code: %w", err)
	}
	return buf.Bytes(), nil
}
