namespace NullTextResearch.Kernel.Engine;

/// <summary>One thing a cell puts out. The kernel sends it to Jupyter, a headless run writes it into the notebook file.</summary>
public abstract record CellOutput;
