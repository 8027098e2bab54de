namespace NullTextResearch.SelfTest;

/// <summary>What was found about one operation.</summary>
public enum ArithmeticVerdict
{
    /// <summary>The machine computes it right.</summary>
    Right,

    /// <summary>libtorch alone computes it wrong here, and this library goes another way, which is right.</summary>
    WorkedAround,

    /// <summary>What this library would use is wrong.</summary>
    Wrong,
}
