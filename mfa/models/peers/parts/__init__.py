"""What several of the compared methods are built of, one idea a file."""
