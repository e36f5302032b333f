package postgres

// WakeSignal is exported for the test of the relay's wake-up.
var WakeSignal = wakeSignal
