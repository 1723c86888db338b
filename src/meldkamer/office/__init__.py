"""The provider's back office."""
