namespace NullTextResearch.Scenes;

/// <summary>The kinds of objects in toy scenes. The order is the class order of the scene classifier: append only.</summary>
public enum SceneObjectKind
{
    /// <summary>A yellow cat's face.</summary>
    Cat,

    /// <summary>A brown dog's face.</summary>
    Dog,

    /// <summary>An orange fox's face.</summary>
    Fox,

    /// <summary>A black and white panda's face.</summary>
    Panda,

    /// <summary>A green frog's face.</summary>
    Frog,

    /// <summary>A pink pig's face.</summary>
    Pig,

    /// <summary>A car, in any colour.</summary>
    Car,

    /// <summary>A balloon on a string, in any colour.</summary>
    Balloon,

    /// <summary>A round green tree.</summary>
    Tree,

    /// <summary>A mushroom with white dots, in any colour.</summary>
    Mushroom,

    /// <summary>A white rocket with red fins.</summary>
    Rocket,

    /// <summary>A small house with a red roof.</summary>
    House,
}
