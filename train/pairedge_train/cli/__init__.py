"""The commands of training: `pairedge-train`, `pairedge-reproduce` and the robustness benchmark."""
