"""What `unlatch doctor` looks at, a small function a question. Each only reads, and says what to do."""
