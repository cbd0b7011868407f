"""Pure decisions on plain values. Standard library only; never reads a clock, a network or the environment."""
