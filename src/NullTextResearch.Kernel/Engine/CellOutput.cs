namespace NullTextResearch.Kernel.Engine;

/// <summary>One output of a cell. The kernel sends it to Jupyter; a headless run writes it to the notebook file.</summary>
public abstract record CellOutput;
