//! The auditor finds nothing in a clean home, and each tampering under its own number.
