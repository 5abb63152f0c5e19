"""What English words say of a face: vocabulary, and the grammar around it."""
