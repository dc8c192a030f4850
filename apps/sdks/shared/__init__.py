"""What all SDKs share: from a request to events of ours, and what SDKs are answered."""
