using System.CommandLine;
using NullTextResearch.Cli.Running;
using NullTextResearch.Experiments;
using NullTextResearch.Interactive.Checkups;
using NullTextResearch.Kernel.Installing;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext doctor`: checks what the program depends on, one line each, and says how to fix what is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        ModelOptions model = new(
            "A model to check as well: a folder in diffusers format, a single-file .safetensors checkpoint, or owner/name of a pulled model."
        );
        Command command = new("doctor", "Check that everything is in place, and say how to fix what is not.");
        model.AddTo(command);
        CommandRunner.Handle(command, (parsed, context) => Run(context, model.Read(parsed)));
        return command.WithExamples("nulltext doctor", "nulltext doctor --model checkpoints/any.safetensors");
    }

    private static int Run(RunContext context, ModelRequest extra)
    {
        List<CheckupModel> models = [Model(CheckupModel.MiniName, new ModelRequest(), CheckupModel.MiniMend)];
        if (extra.Name is not null)
            models.Insert(
                0,
                Model(
                    "model",
                    extra,
                    "give a diffusers-format folder (model_index.json, unet/, vae/, text_encoder/, tokenizer/, scheduler/ with .safetensors files) or an "
                        + "original single-file .safetensors checkpoint"
                )
            );
        Checkup checkup = new()
        {
            AskedThreads = context.Asked,
            ApplyThreads = context.ApplyThreads,
            Models = models,
            Besides = [Jupyter()],
        };
        return checkup.Run(context.Out, context.Cancel) ? CommandRunner.Done : CommandRunner.Failed;

        CheckupModel Model(string what, ModelRequest request, string mend) =>
            new(what, () => request.Find(context), found => request.Load(context, found, new MemoryDemand { ImageSize = found.ImageSize, Rows = 1 }), mend);
    }

    private static CheckupLine Jupyter()
    {
        string? jupyter = Checkup.OnPath("jupyter") ?? Checkup.OnPath("jupyter-lab");
        string? kernel = KernelSpec.Installed();
        return (jupyter, kernel) switch
        {
            (not null, not null) => new(CheckupVerdict.Good, "Jupyter", $"{jupyter}, kernel {kernel}", null),
            (not null, null) => new(CheckupVerdict.Good, "Jupyter", $"{jupyter}; 'nulltext notebook' provides the kernel", null),
            _ => new(
                CheckupVerdict.Missing,
                "Jupyter",
                "not found; only notebooks need it",
                "sudo apt-get install --no-install-recommends jupyter-notebook, or pip install jupyterlab; then: nulltext notebook"
            ),
        };
    }
}
