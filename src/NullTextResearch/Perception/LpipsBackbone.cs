namespace NullTextResearch.Perception;

/// <summary>The network whose features <see cref="LpipsModel"/> compares.</summary>
public enum LpipsBackbone
{
    /// <summary>AlexNet: five layers, fast; the authors' choice for evaluation.</summary>
    Alex,

    /// <summary>VGG-16: five layers, the closest to what is used as a training loss.</summary>
    Vgg,

    /// <summary>SqueezeNet 1.1: seven layers, small; used by PIE-Bench.</summary>
    Squeeze,
}
