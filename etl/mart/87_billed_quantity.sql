-- What is billed of the meters of one usage, and whose price each of them has: nothing is billed twice, nothing is lost.
--
-- A part with a price of its own is taken out of the nearest whole that is billed; a part without one stays in it. Where
-- its whole is not given there is nothing to stay in, and it has the price of the whole: OpenAI's reasoning is output.
-- A loop over arrays: a query for each of a hundred thousand usages takes ten times as long.
CREATE FUNCTION mart.billed_quantity(meters text[], is_given boolean[], counts numeric[], price_states text[],
                                     part_of text[], priced_as text[],
                                     OUT quantities numeric[], OUT price_places integer[], OUT kept_in integer[],
                                     OUT notes text[])
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    number  integer := coalesce(cardinality(meters), 0);
    none    numeric[] := array_fill(0::numeric, ARRAY[number]);
    taken   numeric[] := none;
    cached  numeric[] := none;
    others  numeric[] := none;
    named   text[] := meters;
    inner_place integer[];
    outer_place integer[];
    likes   text[];
    place   integer;
BEGIN
    quantities := counts;
    price_places := array_fill(NULL::integer, ARRAY[number]);
    kept_in := price_places;
    notes := array_fill(NULL::text, ARRAY[number]);
    FOR i IN 1 .. number LOOP
        IF price_states[i] IS NOT NULL THEN
            price_places[i] := i;
        END IF;
        CONTINUE WHEN part_of[i] IS NULL OR NOT is_given[i];
        likes := string_to_array(priced_as[i], ',');
        inner_place[i] := array_position(meters, part_of[i]);
        outer_place[i] := array_position(meters, likes[cardinality(likes)]);
        -- Gateways quote reasoning as 0 where they mean that it is in the output.
        IF meters[i] = 'reasoning_token' AND price_states[i] = 'free' AND price_states[outer_place[i]] = 'priced' THEN
            price_places[i] := NULL;
        END IF;
        IF price_places[i] IS NULL THEN
            FOR j IN 1 .. cardinality(likes) LOOP
                place := array_position(meters, likes[j]);
                IF price_states[place] IS NOT NULL THEN
                    price_places[i] := place;
                    IF is_given[place] AND place IN (inner_place[i], outer_place[i]) THEN
                        kept_in[i] := place;
                    END IF;
                    EXIT;
                END IF;
            END LOOP;
        END IF;
    END LOOP;
    FOR i IN 1 .. number LOOP
        CONTINUE WHEN inner_place[i] IS NULL;
        IF counts[i] IS NULL THEN
            notes[inner_place[i]] := 'a part of it is not a number >= 0';
            notes[outer_place[i]] := 'a part of it is not a number >= 0';
            CONTINUE;
        END IF;
        place := CASE WHEN is_given[inner_place[i]] THEN inner_place[i] ELSE outer_place[i] END;
        named[place] := format('%s, %s %s', named[place], meters[i], counts[i]);
        IF starts_with(meters[i], 'cache') THEN
            cached[place] := cached[place] + counts[i];
        ELSE
            others[place] := others[place] + counts[i];
        END IF;
        place := CASE WHEN is_given[inner_place[i]] AND kept_in[inner_place[i]] IS NULL THEN inner_place[i] ELSE outer_place[i] END;
        IF kept_in[i] IS NULL THEN
            taken[place] := taken[place] + counts[i];
        ELSE
            kept_in[i] := place;
        END IF;
    END LOOP;
    FOR i IN 1 .. number LOOP
        -- What was cached may be images too: only where both are billed they have to fit in beside each other.
        IF notes[i] IS NULL AND greatest(taken[i], cached[i], others[i]) > counts[i] THEN
            notes[i] := 'a total and its parts disagree: ' || overlay(named[i] PLACING meters[i] || ' ' || counts[i] FROM 1 FOR length(meters[i]));
        END IF;
        quantities[i] := CASE WHEN notes[i] IS NOT NULL THEN NULL
                              WHEN kept_in[i] IS NOT NULL AND counts[i] IS NOT NULL THEN 0
                              ELSE counts[i] - taken[i] END;
    END LOOP;
END $$;

COMMENT ON FUNCTION mart.billed_quantity IS
    'What is billed of one usage, from the meters of counted_meter and the states of their prices (null: no price), as arrays in their order: quantities; the places of the meters whose prices they have; the place of the meter that each is counted in because it has no price of its own; and notes why a quantity cannot be billed. A part with a price of its own is taken out of its whole, a part without one stays in it. A reasoning price of 0 beside a priced output counts as none.';
