"""Web Push: tells people on their devices of what is said while they aren't looking. `pusher` is its heart."""
