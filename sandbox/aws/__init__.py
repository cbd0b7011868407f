"""The sandbox's AWS: moto over HTTP, extended with what it lacks. Never deployed."""
