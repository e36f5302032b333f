package postgres

// WakeSignal is for the test of what wakes the relay.
var WakeSignal = wakeSignal
