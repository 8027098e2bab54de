using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void FixedPoint()
    {
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            double guidance = Number(golden, "guidance_scale", 1);
            FixedPointOptions options = new()
            {
                Iterations = golden.GetProperty("num_iter_steps").GetInt32(),
                GuidanceScale = guidance,
                Solver =
                    !golden.TryGetProperty("mode", out JsonElement mode) ? FixedPointSolver.Picard
                    : mode.GetInt32() == 0 ? FixedPointSolver.Anderson
                    : FixedPointSolver.Averaged,
                Window = (int)Number(golden, "anderson_window_size", 5),
            };
            InversionProblem problem = Problem(Prompts[0], guidance);
            int watched = Steps - 1 - (Steps / 2);
            List<Tensor> inner = [];
            using Walk walk = new FixedPointPath(options)
            {
                Observer = (step, value) =>
                {
                    if (step.Step == watched)
                        inner.Add(value.clone().MoveToOtherDisposeScope(scope));
                },
            }.Climb(problem, null, Cancellation);
            Report(prefix + "inv_latents", Stacked(walk.Levels).flatten(0, 1));
            // With the averaged rule, the original evaluates the older value again.
            if (options.Solver == FixedPointSolver.Averaged)
                inner = [inner[0], .. Enumerable.Range(1, inner.Count - 1).SelectMany(i => (Tensor[])[inner[i - 1], inner[i]])];
            Report(prefix + "inner_latents", cat([.. inner], 0));
            Tensor back = Sampled(problem, walk.Levels.Noisiest, DdimReplay.Instance, Prompts[0], guidance);
            Report(prefix + "rec_latent", back.select(0, back.shape[0] - 1));
        }
    }

    private void EditFriendly()
    {
        TimestepGrid grid = Grid();
        Tensor noise = Stored("noise");
        Tensor? levels = null;
        int skip = (int)_file.Entry.GetProperty("skip_steps").GetDouble();
        foreach (JsonElement golden in Cases)
        {
            string prefix = Name(golden) + ".";
            EditFriendlyOptions options = new()
            {
                Eta = golden.GetProperty("eta").GetDouble(),
                GuidanceScale = golden.GetProperty("source_guidance").GetDouble(),
                Skip = 0,
                PublishedEta = true,
                PublishedLastStep = true,
            };
            InversionProblem problem = Problem(Prompts[0]);
            using Walk walk = new EditFriendlyPath(options) { Noise = level => noise.select(0, level - 1) }.Climb(problem, null, Cancellation);
            EditFriendlyReplay own = (EditFriendlyReplay)walk.Replay;
            Tensor stacked = Stacked(walk.Levels);
            levels = stacked;
            Report(prefix + "xts", stacked.flatten(0, 1));
            Report(prefix + "zs", own.Noises.flip(0).flatten(0, 1));
            Report(prefix + "rec_latents", Sampled(problem, walk.Levels.Noisiest, own, Prompts[0], options.GuidanceScale));
            using EditFriendlyReplay later = new(own.Noises.clone().DetachFromDisposeScope(), options.Eta, true, skip, options.GuidanceScale);
            Tensor start = walk.Levels[Steps - skip];
            Report(prefix + "rec_skip_latents", Sampled(problem, start, later, Prompts[0], options.GuidanceScale));
            Report(prefix + "target_latents", Sampled(problem, start, later, Prompts[1], Guided, isSource: false));
            if (_file.WantsAny(t => t.StartsWith(prefix + "p2p_latents", StringComparison.Ordinal)))
            {
                using InversionResult inversion = Inverted(
                    problem,
                    start,
                    new EditFriendlyReplay(own.Noises.clone().DetachFromDisposeScope(), options.Eta, true, skip, options.GuidanceScale)
                );
                EditTarget target = new()
                {
                    Prompt = Tokenized(Prompts[1]),
                    Edit = new WordSwap { Tail = TailRule.Published },
                    CrossReplace = CrossReplaceSchedule.Until(0.4),
                    SelfReplace = StepWindow.Until(0.6),
                };
                // The published controller counts from the first sampled step.
                Report(prefix + "p2p_latents", Edited(inversion, grid, [Prompts[0]], target, new FromFirstStep(new PromptToPromptOptions(), skip)));
            }
        }
        if (levels is null)
            return;
        double[] variances = [.. grid.Moves.Select(m => (1 - m.Clean.AlphaBar) / (1 - m.Noisy.AlphaBar) * (1 - (m.Noisy.AlphaBar / m.Clean.AlphaBar)))];
        _file.Report("variance", tensor(variances).to(_dtype));
        if (_file.Wants("mu_tilde"))
            _file.Report("mu_tilde", stack([.. grid.Moves.Select(m => PosteriorMean(m, levels[Steps - m.Step]))]).flatten(0, 1));
    }

    /// <summary>
    /// An unused helper of the published code: it combines the one-step alpha of the training chain with the previous level of the short chain.
    /// </summary>
    private Tensor PosteriorMean(DiffusionStep step, Tensor latents)
    {
        double a = step.Noisy.AlphaBar,
            next = step.Clean.AlphaBar,
            one = 1f - NoiseSchedule.Betas()[step.Timestep];
        return latents.Times(Math.Sqrt(one) * (1 - next) / (1 - a)).Plus(Clean.Times(Math.Sqrt(next) * (1 - one) / (1 - a)));
    }

    private void Edict()
    {
        double[] table = DoubleTable();
        TimestepGrid grid = new(new NoiseSchedule(table, finalIsOne: false, stepsOffset: 0), Steps);
        _file.Report("alphas_cumprod", tensor(table));
        _file.Report(
            "timesteps",
            tensor(grid.Moves.Select(m => (double)m.Timestep).ToArray()).to(_file.Tensors.Contains("timesteps") ? _file.Dtype("timesteps") : _dtype)
        );
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            EdictOptions options = new()
            {
                Mix = golden.GetProperty("mix").GetDouble(),
                Strength = golden.GetProperty("strength").GetDouble(),
                GuidanceScale = golden.GetProperty("guidance").GetDouble(),
            };
            InversionProblem problem = Problem(Prompts[0], options.GuidanceScale, grid);
            (List<Tensor> Values, List<long> Which) climbed = ([], []),
                sampled = ([], []);
            Action<int, Tensor> Into((List<Tensor> Values, List<long> Which) list) =>
                (which, value) =>
                {
                    list.Values.Add(value.clone().MoveToOtherDisposeScope(scope));
                    list.Which.Add(which);
                };
            using Walk walk = new EdictPath(options) { Observer = Into(climbed) }.Climb(problem, null, Cancellation);
            EdictReplay own = (EdictReplay)walk.Replay;
            Tensor start = walk.Levels.Noisiest;
            Steps2("inv", climbed);
            _file.Report(prefix + "inv_pair", cat([start, own.Second], 0));
            using EdictReplay watched = new(own.Second.clone().DetachFromDisposeScope(), options.Mix, own.FirstStep, options.GuidanceScale)
            {
                Observer = Into(sampled),
            };
            _file.Report(prefix + "rec_pair", Pair(watched, Prompts[0], null));
            Steps2("rec", sampled);
            _file.Report(prefix + "edit_pair", Pair(own, Prompts[1], null));
            if (_file.Wants(prefix + "p2p_pair"))
                _file.Report(prefix + "p2p_pair", Pair(own, Prompts[1], Prompts[0]));

            void Steps2(string what, (List<Tensor> Values, List<long> Which) list)
            {
                _file.Report($"{prefix}{what}_steps", cat([.. list.Values], 0));
                string which = $"{prefix}{what}_which";
                if (_file.Tensors.Contains(which))
                    _file.Report(which, tensor(list.Which.ToArray()).to(_file.Dtype(which)));
            }

            Tensor Pair(EdictReplay replay, string prompt, string? attentionOf)
            {
                using StepEmbeddings conditional = StepEmbeddings.Constant(Embed(prompt)),
                    unconditional = StepEmbeddings.Constant(problem.Unconditional);
                SamplingPlan plan = new()
                {
                    StartLatents = start,
                    Conditional = conditional,
                    Unconditional = unconditional,
                    GuidanceScale = options.GuidanceScale,
                    Replay = replay,
                };
                using StoredAttention stored = new(attentionOf is null ? null : TokenMatch.Of(Tokenized(attentionOf).Ids, Tokenized(prompt).Ids));
                INoisePredictor network = attentionOf is null ? problem.Predictor : new AfterSource(Predictor(stored), stored, Embed(attentionOf));
                LatentState end = Sampler.Run(grid, plan, null, (step, z) => Sampler.Predict(network, plan, step, z), null, null, Cancellation);
                return cat([end.Latents, end.More[0]], 0);
            }
        }
        if (_file.WantsAny(t => t.StartsWith("probe", StringComparison.Ordinal)))
            EdictProbe(table);
    }

    /// <summary>The alpha table of methods whose code computes it in double precision throughout.</summary>
    private static double[] DoubleTable()
    {
        double first = Math.Sqrt(0.00085),
            last = Math.Sqrt(0.012),
            product = 1;
        return [.. Enumerable.Range(0, 1000).Select(i => first + ((last - first) * i / 999)).Select(root => product *= 1 - (root * root))];
    }

    /// <summary>Steps at fractional timesteps, with the two interpolation weights swapped as published.</summary>
    private void EdictProbe(double[] table)
    {
        string prefix = _file.Tensors.First(t => t.StartsWith("probe", StringComparison.Ordinal)).Split('.')[0] + ".";
        double length = 1000.0 / int.Parse(prefix["probe".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
        Tensor sample = _file.Read(prefix + "sample").to(_dtype),
            eps = _file.Read(prefix + "eps").to(_dtype),
            times = _file.Read(prefix + "timesteps");
        foreach (string input in (string[])["sample", "eps", "timesteps"])
            _file.Report(prefix + input, _file.Read(prefix + input));
        double[] timesteps = times.to(ScalarType.Float64).data<double>().ToArray();
        double[] previous = [.. timesteps.Select(t => At(t - length))];
        _file.Report(prefix + "alpha_prev", tensor(previous).to(_dtype));
        Tensor Moved(bool isForward) =>
            cat(
                [
                    .. timesteps.Select(
                        (t, i) =>
                        {
                            NoiseLevel here = NoiseLevel.VariancePreserving(At(t)),
                                next = NoiseLevel.VariancePreserving(previous[i]);
                            return isForward ? Ddim.Move(sample, eps, here, next) : Ddim.Move(sample, eps, next, here);
                        }
                    ),
                ],
                0
            );
        _file.Report(prefix + "forward", Moved(true));
        _file.Report(prefix + "reverse", Moved(false));

        double At(double t)
        {
            if (t < 0)
                return table[0];
            int low = (int)Math.Floor(t),
                high = Math.Min(low + 1, table.Length - 1);
            double rest = t - low;
            return rest == 0 ? table[low] : (table[low] * rest) + (table[high] * (1 - rest));
        }
    }

    private static InversionResult Inverted(InversionProblem problem, Tensor start, IReplay replay, PivotTrajectory? pivot = null) =>
        new()
        {
            Method = "golden",
            GuidanceScale = problem.GuidanceScale,
            StartLatents = start.Snapshot(),
            Conditional = StepEmbeddings.Constant(problem.Conditional),
            Unconditional = StepEmbeddings.Constant(problem.Unconditional),
            Replay = replay,
            Pivot = pivot?.Copy(),
            EvaluationsPerImage = 0,
            Elapsed = TimeSpan.Zero,
            Options = new DdimInversionOptions(),
        };

    /// <summary>Latents of source and target after each step, [steps run, 2, 4, H, W].</summary>
    /// <remarks>By default, guidance comes from the file and the target's embedding from its prompt.</remarks>
    private Tensor Edited(
        InversionResult inversion,
        TimestepGrid grid,
        string[] source,
        EditTarget target,
        EditorOptions editor,
        double? guidanceScale = null,
        Tensor? targetEmbedding = null
    )
    {
        List<Tensor> after = [];
        using StepEmbeddings own = StepEmbeddings.Constant(Embed(source[0])),
            targets = StepEmbeddings.Constant(targetEmbedding ?? Embed(target.Prompt.Prompt));
        EditProblem problem = new()
        {
            Predictor = hook => Predictor(hook),
            Grid = grid,
            Inversion = inversion,
            Edits = [new ImageEdit { Source = Tokenized(source[0]), Targets = [target] }],
            SourceEmbeddings = own,
            TargetEmbeddings = [targets],
            Empty = Embed(""),
            GuidanceScale = guidanceScale ?? Guided,
        };
        using EditResult result = EditRun.Run(problem, editor, (_, latents) => after.Add(latents.clone().DetachFromDisposeScope()), null, Cancellation);
        Tensor all = stack(after);
        foreach (Tensor one in after)
            one.Dispose();
        return all;
    }

    /// <summary>An editor whose steps are counted from the first sampled step.</summary>
    private sealed record FromFirstStep(EditorOptions Editor, int By) : EditorOptions
    {
        public override string Id => Editor.Id;

        public override IEditDirector Direct(EditProblem problem) => new Director(Editor.Direct(problem), By);

        private sealed class Director(IEditDirector inner, int by) : IEditDirector, INetworkHook
        {
            public INetworkHook Hook => this;

            public bool TouchesUnconditional => inner.Hook.TouchesUnconditional;

            public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value) =>
                inner.Hook.Attend(call with { Step = call.Step - by }, query, key, value);

            public Tensor Predict(EditStep at, Tensor latents) => inner.Predict(at, latents);

            public Tensor After(EditStep at, Tensor latents) => inner.After(at with { Step = at.Step with { Step = at.Step.Step - by } }, latents);

            public void Dispose() => inner.Dispose();
        }
    }

    /// <summary>Runs the source prompt on the same latents before each conditional pass, so that its attention can be used.</summary>
    private sealed class AfterSource(INoisePredictor network, StoredAttention stored, Tensor source) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
        {
            using DisposeScope scope = NewDisposeScope();
            BatchLayout rows = condition.Layout();
            int conditional = rows.FirstConditional;
            List<Tensor> noise = [];
            if (conditional > 0)
                noise.Add(network.Predict(latents.narrow(0, 0, conditional), step, condition.Narrow(0, conditional)));
            Tensor z = latents.narrow(0, conditional, 1);
            stored.Mode = StoredAttention.Use.Store;
            network.Predict(z, step, source);
            stored.Mode = StoredAttention.Use.Inject;
            noise.Add(network.Predict(z, step, condition.Narrow(conditional, 1)));
            stored.Mode = StoredAttention.Use.None;
            return cat([.. noise], 0).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Replaces the maps of one pass with those of the pass before: self-attention entirely, cross-attention for matching tokens.</summary>
    private sealed class StoredAttention(TokenMatch? match) : ExplicitAttention, IDisposable
    {
        private readonly Dictionary<int, Tensor> _maps = [];

        public enum Use
        {
            None,
            Store,
            Inject,
        }

        public Use Mode { get; set; }

        public void Dispose()
        {
            foreach (Tensor map in _maps.Values)
                map.Dispose();
        }

        protected override Tensor Process(in AttentionCall call, Tensor map)
        {
            if (Mode == Use.Store)
            {
                if (_maps.Remove(call.Site.Order, out Tensor? old))
                    old.Dispose();
                _maps[call.Site.Order] = map.clone().DetachFromDisposeScope();
            }
            if (Mode != Use.Inject)
                return map;
            Tensor stored = _maps[call.Site.Order];
            if (call.Site.Kind == AttentionKind.Self)
                return stored.alias();
            using Tensor index = tensor(match!.SourceOf.Select(s => (long)Math.Max(0, s)).ToArray()),
                has = tensor(match.SourceOf.Select(s => s >= 0).ToArray());
            return where(has, stored.index_select(3, index), map);
        }
    }
}
